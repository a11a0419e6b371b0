"""URLs of the configuration: a provider's endpoint, and the way out to it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

from aigw.model.instance import Endpoint

_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?\.?\Z")
_PRINTABLE = re.compile(r"[!-~]+\Z")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_PORTS = {"http": 80, "https": 443}


def endpoint_of(url: str) -> Endpoint:
    """
    ``override.endpoint`` taken apart. A path of ``/`` alone is no path: the provider
    computes it, as for an endpoint without one.

    :raises ValueError: it is no ``http(s)://host[:port][/path][?query]``.
    """
    parts = _split(url)
    if parts.username is not None or parts.password is not None:
        raise ValueError("credentials belong into auth, not into the URL")
    if parts.fragment or url.endswith("#"):
        raise ValueError("a fragment is never sent")
    if _BAD_ESCAPE.search(parts.path + parts.query):
        raise ValueError("a % must be followed by two hexadecimal digits")
    return Endpoint(
        scheme=parts.scheme,
        host=_host(parts),
        port=_port(parts),
        path="" if parts.path == "/" else parts.path,
        query=parts.query,
    )


def proxy_of(url: str) -> str:
    """
    An egress proxy's URL as ``http://[user:password@]host:port``.

    :raises ValueError: it is none, or of a kind that is not spoken.
    """
    parts = _split(url if "://" in url else f"http://{url}")
    if parts.scheme != "http":
        raise ValueError("a proxy is reached over http://")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError("a proxy's URL ends with its port")
    host = _host(parts)
    literal = f"[{host}]" if ":" in host else host
    user, at, _ = parts.netloc.rpartition("@")
    return f"http://{user}{at}{literal}:{_port(parts)}"


def proxy_from(environ: Mapping[str, str], scheme: str, host: str, port: int) -> str:
    """
    The proxy that ``HTTPS_PROXY``, ``HTTP_PROXY`` and ``NO_PROXY`` (or their lower-case
    forms, which win) ask for towards one origin; ``""`` where they ask for none. The
    machine itself is never reached through a proxy.

    :param host: the origin's host; ``""`` where it is not known yet.
    :raises ValueError: the variable's value is no proxy; the text names the variable.
    """
    name = f"{scheme}_proxy"
    url = environ.get(name) or environ.get(name.upper()) or ""
    if not url or _is_local(host):
        return ""
    excepted = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    if any(_covers(rule.strip(), host, port) for rule in excepted.split(",")):
        return ""
    try:
        return proxy_of(url)
    except ValueError as error:
        raise ValueError(f"{name.upper()} of the environment: {error}") from error


def _split(url: str) -> SplitResult:
    if not _PRINTABLE.match(url):
        raise ValueError("a URL holds printable ASCII characters only, and no blanks")
    parts = urlsplit(url)
    if parts.scheme not in _PORTS:
        raise ValueError("the scheme is neither http nor https")
    return parts


def _host(parts: SplitResult) -> str:
    host = (parts.hostname or "").lower()
    if "[" in parts.netloc or ":" in host:
        try:
            return str(ip_address(host))
        except ValueError as error:
            raise ValueError("the host is no IPv6 address") from error
    if not _HOST.match(host):
        raise ValueError("there is no valid host")
    return host


def _port(parts: SplitResult) -> int:
    try:
        port = parts.port
    except ValueError as error:
        raise ValueError("the port is not in 1 to 65535") from error
    if port == 0:
        raise ValueError("the port is not in 1 to 65535")
    return _PORTS[parts.scheme] if port is None else port


def _is_local(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _covers(rule: str, host: str, port: int) -> bool:
    """Whether one entry of NO_PROXY covers an origin."""
    if rule == "*":
        return True
    if not rule or not host:
        return False
    try:
        return ip_address(host) in ip_network(rule, strict=False)
    except ValueError:
        pass  # one of the two is a name
    name, colon, only = rule.lower().rpartition(":")
    if colon and only.isdigit():
        if int(only) != port:
            return False
    else:
        name = rule.lower()
    name = name.strip("[]").removeprefix("*").removeprefix(".")
    return bool(name) and (host == name or host.endswith(f".{name}"))
