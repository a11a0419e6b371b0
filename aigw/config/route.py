"""``routes``: which requests a route takes, and the plugins that serve them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta

from .part import Check, Part, about
from .plugins import Plugins
from .server import Network
from .vars import compile_vars

_HOST = re.compile(r"(?:\*\.)?[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?\Z")
_LITERAL = re.compile(r"\[[0-9A-Fa-f:.]+\]\Z")
_NOT_BUILT = "not implemented by this version"


def _matchable(uri: str) -> None:
    if not uri.startswith("/"):
        raise ValueError("it does not begin with /")
    if "*" in uri[:-1]:
        raise ValueError("a * stands only at the end")
    if re.search(r"[?#%\s\\]", uri):
        raise ValueError("a path is written decoded, without query and blanks")
    if "//" in uri or {".", ".."} & set(uri.split("/")):
        raise ValueError("no request has such a path: //, . and .. are refused")


def _host(host: str) -> None:
    if not (_HOST.match(host) or _LITERAL.match(host)):
        raise ValueError("no host")


Uri = Annotated[
    str, Check(_matchable, "a path beginning with /, or such a prefix ending in *")
]
Host = Annotated[str, Check(_host, "a host without port, or *.suffix")]
Method = Literal[
    "GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "CONNECT", "TRACE",
    "PURGE",
]  # fmt: skip


class RouteConf(Part, frozen=True, kw_only=True):
    """Which requests a route takes, and what serves them."""

    ignored: ClassVar[frozenset[str]] = frozenset(
        {
            "create_time",
            "desc",
            "enable_websocket",
            "labels",
            "update_time",
            "upstream",
            "upstream_id",
        }
    )
    refused: ClassVar[Mapping[str, str]] = {
        "filter_func": "Lua code is not supported; use vars",
        "plugin_config_id": f"{_NOT_BUILT}; write the plugins on the route",
        "script": "Lua code is not supported",
        "script_id": "Lua code is not supported",
        "service_id": f"{_NOT_BUILT}; write the route's fields on the route",
        "service_protocol": _NOT_BUILT,
        "timeout": f"{_NOT_BUILT}; the timeout of ai-proxy is plugins.ai-proxy.timeout",
    }

    id: Annotated[
        Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[a-zA-Z0-9_.-]+$")]
        | int
        | None,
        about("The route's name in records; unset, `route-` and its place from 1."),
    ] = None
    name: Annotated[str | None, about("A name for people; nothing reads it.")] = None
    uri: Annotated[
        Uri | None,
        about("The path it takes: exact, or a prefix ending in `*`."),
    ] = None
    uris: Annotated[
        Annotated[tuple[Uri, ...], Meta(min_length=1)] | None,
        about("Several such, instead."),
    ] = None
    methods: Annotated[
        tuple[Method, ...], about("The methods it takes; none named takes all.")
    ] = ()
    host: Annotated[Host | None, about("The host it takes; `*.suffix` too.")] = None
    hosts: Annotated[tuple[Host, ...], about("Several such, instead.")] = ()
    remote_addr: Annotated[
        Network | None, about("The client address or range it takes.")
    ] = None
    remote_addrs: Annotated[tuple[Network, ...], about("Several such, instead.")] = ()
    priority: Annotated[
        int, about("The larger wins where host and path match equally well.")
    ] = 0
    vars: Annotated[
        list[Any] | None,
        Check(
            compile_vars,
            "an expression of the reference: [variable, operator,"
            " value] lists, joined by AND, OR, !AND, !OR",
        ),
        about("What else must be true of the request."),
    ] = None
    status: Annotated[Literal[0, 1], about("0 switches the route off.")] = 1
    strip_prefix: Annotated[
        bool,
        about(
            "[new] Whether `/anthropic`, `/openai`, `/bedrock` and `/genai` before a"
            " dialect's own path, and OpenAI paths without `/v1`, are understood."
        ),
    ] = False
    plugins: Annotated[Plugins, about("What serves the request.")] = Plugins()
