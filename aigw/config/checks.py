"""``checks``: active health checks of an instance."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal
from urllib.parse import quote

from msgspec import Meta

from aigw.model.check import ActiveCheck

from .auth import Auth
from .part import SECRET, Check, Part, about

_FIELD = re.compile(r"([A-Za-z0-9!#$%&'*+.^_`|~-]+):[ \t]*([\x20-\x7e]*?)[ \t]*\Z")
_HOST = re.compile(r"[A-Za-z0-9_.:\[\]-]+\Z")
_PATH = re.compile(r"/[\x21\x22\x24-\x7e]*\Z")

Count = Annotated[int, Meta(ge=1, le=254)]
Status = Annotated[int, Meta(ge=100, le=599)]
Interval = Annotated[float, Meta(ge=1)]


def _field(text: str) -> None:
    if not _FIELD.match(text):
        raise ValueError("no header field")


def _host(text: str) -> None:
    if not _HOST.match(text):
        raise ValueError("no host")


def _path(text: str) -> None:
    if not _PATH.match(text):
        raise ValueError("no path")


def _some_time(seconds: float) -> None:
    if seconds <= 0:
        raise ValueError("it must pass some time")


class Healthy(Part, frozen=True, kw_only=True):
    """When a node counts as healthy."""

    interval: Annotated[
        Interval, about("Seconds between probes of a healthy node.")
    ] = 1
    http_statuses: Annotated[
        tuple[Status, ...], about("Statuses that count as success.")
    ] = (200, 302)
    successes: Annotated[
        Count, about("Successes in a row that make a node healthy.")
    ] = 2


class Unhealthy(Part, frozen=True, kw_only=True):
    """When a node counts as unhealthy."""

    interval: Annotated[
        Interval, about("Seconds between probes of an unhealthy node.")
    ] = 1
    http_statuses: Annotated[
        tuple[Status, ...],
        about("Statuses that count as failure; any other counts as neither."),
    ] = (429, 404, 500, 501, 502, 503, 504, 505)
    http_failures: Annotated[
        Count, about("Such answers in a row that make a node unhealthy.")
    ] = 5
    tcp_failures: Annotated[Count, about("Failed connections in a row that do.")] = 2
    timeouts: Annotated[Count, about("Timeouts in a row that do.")] = 3


class Active(Part, frozen=True, kw_only=True):
    """How the nodes of an instance are probed."""

    type: Annotated[Literal["http", "https", "tcp"], about("What a probe is.")] = "http"
    timeout: Annotated[
        float,
        Check(_some_time, "more than 0"),
        about("How long a probe may take, seconds."),
    ] = 1
    concurrency: Annotated[
        int, Meta(ge=1), about("The most probes under way at once.")
    ] = 10
    host: Annotated[
        Annotated[str, Check(_host, "a host, with its port if any")] | None,
        about("What `Host` says; unset, the instance's host."),
    ] = None
    port: Annotated[
        Annotated[int, Meta(ge=1, le=65535)] | None,
        about("The port that is probed; unset, the instance's."),
    ] = None
    http_method: Annotated[
        Literal["GET", "HEAD", "POST", "PUT", "OPTIONS"], about("The method.")
    ] = "GET"
    http_path: Annotated[
        Annotated[str, Check(_path, "a path beginning with /, encoded")],
        about("Path and query; the parameters of `auth.query` are added."),
    ] = "/"
    http_req_body: Annotated[str, about("The body sent.")] = ""
    https_verify_certificate: Annotated[
        bool, about("Whether the certificate is checked.")
    ] = True
    req_headers: Annotated[
        tuple[Annotated[str, Check(_field, "`Name: value`")], ...],
        SECRET,
        about("Fields sent; those of `auth.header` are added."),
    ] = ()
    healthy: Annotated[Healthy, about("When a node counts as healthy.")] = Healthy()
    unhealthy: Annotated[Unhealthy, about("When a node counts as unhealthy.")] = (
        Unhealthy()
    )


class Checks(Part, frozen=True, kw_only=True):
    """Health checks of an instance. Begun when the file is loaded."""

    refused: ClassVar[Mapping[str, str]] = {
        "passive": "there are no passive checks; breaker and cooldown do their work"
    }

    active: Annotated[Active, about("How the nodes of an instance are probed.")]


def check_of(checks: Checks, auth: Auth) -> ActiveCheck:
    """
    Compile checks. Credentials of ``auth.header`` and ``auth.query`` go with a probe,
    in place of a field of the same name; those of gcp and aws do not.
    """
    conf = checks.active
    fields: dict[str, str] = {}
    for text in conf.req_headers:
        if found := _FIELD.match(text):
            fields[found[1].lower()] = found[2]
    fields.update({name.lower(): value for name, value in auth.header.items()})
    path = conf.http_path
    for name, value in auth.query.items():
        mark = "&" if "?" in path else "?"
        path += f"{mark}{quote(name, safe='')}={quote(value, safe='')}"
    return ActiveCheck(
        type=conf.type,
        timeout=conf.timeout,
        concurrency=conf.concurrency,
        host=conf.host or fields.pop("host", ""),
        port=conf.port,
        method=conf.http_method,
        path=path,
        body=conf.http_req_body.encode(),
        verify=conf.https_verify_certificate,
        headers=tuple(
            (name.encode("ascii"), value.encode("latin-1"))
            for name, value in fields.items()
            if name not in ("host", "content-length", "connection")
        ),
        healthy_interval=conf.healthy.interval,
        healthy_statuses=frozenset(conf.healthy.http_statuses),
        successes=conf.healthy.successes,
        unhealthy_interval=conf.unhealthy.interval,
        unhealthy_statuses=frozenset(conf.unhealthy.http_statuses),
        http_failures=conf.unhealthy.http_failures,
        tcp_failures=conf.unhealthy.tcp_failures,
        timeouts=conf.unhealthy.timeouts,
    )
