"""
A configuration made of the environment alone: what runs when no file is given. It
listens on loopback only and serves the model-call endpoints of the vendors whose keys
are there, each endpoint by the first vendor that has it. The chat endpoints that none
of them has are served by the first of all, converted. With no key, all goes to the
built-in mock provider.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from aigw.errors import ConfigError
from aigw.model.instance import Endpoint

from .endpoint import endpoint_of
from .load import compiled
from .providers import Hosts
from .settings import Settings

NAME: Final = "no configuration file"


@dataclass(frozen=True, slots=True)
class _Vendor:
    """
    :ivar key: the environment variable of its key; ``base`` that of its base URL.
    :ivar prefix: what a base URL holds of the paths by the vendor's own convention.
    :ivar header: the field that carries the key.
    :ivar paths: path to method.
    :ivar region: the environment variables of the region it needs, the first one wins.
    """

    provider: str
    key: str
    base: str
    prefix: str
    header: tuple[str, str]
    paths: Mapping[str, str]
    region: tuple[str, ...] = ()


_CHAT = {"/v1/chat/completions": "POST"}
_OPENAI = {
    **_CHAT,
    "/v1/responses": "POST",
    "/v1/embeddings": "POST",
    "/v1/completions": "POST",
    "/v1/moderations": "POST",
    "/v1/models": "GET",
    "/v1/models/*": "GET",
}

#: Where clients of each chat dialect call models.
_CALLS: Final = (
    "/v1/chat/completions",
    "/v1/responses",
    "/v1/messages",
    "/model/*",
    "/v1beta/models/*",
)


def _bearer(key: str) -> tuple[str, str]:
    return "Authorization", f"Bearer $env://{key}"


_VENDORS: Final = (
    _Vendor(
        "openai",
        "OPENAI_API_KEY",
        "OPENAI_BASE_URL",
        "/v1",
        _bearer("OPENAI_API_KEY"),
        _OPENAI,
    ),
    _Vendor(
        "anthropic",
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_BASE_URL",
        "",
        ("x-api-key", "$env://ANTHROPIC_API_KEY"),
        {"/v1/messages": "POST", "/v1/messages/count_tokens": "POST", **_CHAT},
    ),
    # Its own API takes the key in a field of its own, OpenAI's as a bearer token.
    _Vendor(
        "gemini",
        "GEMINI_API_KEY",
        "",
        "",
        ("x-goog-api-key", "$env://GEMINI_API_KEY"),
        {"/v1beta/models": "GET", "/v1beta/models/*": "POST"},
    ),
    _Vendor(
        "bedrock",
        "AWS_BEARER_TOKEN_BEDROCK",
        "",
        "",
        _bearer("AWS_BEARER_TOKEN_BEDROCK"),
        {"/model/*": "POST"},
        ("AWS_REGION", "AWS_DEFAULT_REGION"),
    ),
    *(
        _Vendor(provider, key, "", "", _bearer(key), _CHAT)
        for provider, key in (
            ("gemini", "GEMINI_API_KEY"),
            ("openrouter", "OPENROUTER_API_KEY"),
            ("deepseek", "DEEPSEEK_API_KEY"),
            ("groq", "GROQ_API_KEY"),
            ("mistral", "MISTRAL_API_KEY"),
            ("together", "TOGETHER_API_KEY"),
        )
    ),
)


def zero(
    environ: Mapping[str, str], *, providers: Hosts, mock: str | None = None
) -> Settings:
    """
    Settings without a file.

    :param providers: as for :func:`aigw.config.load.load`; vendors it does not have are
        passed over.
    :param mock: URL of the mock provider (``http://127.0.0.1:1980``), used when no key
        is found.
    :raises ConfigError: there is no key and no mock, or a variable is malformed.
    """
    routes: dict[str, dict[str, Any]] = {}
    called: dict[str, Any] | None = None
    for vendor in _VENDORS:
        if vendor.provider in providers and environ.get(vendor.key):
            for path, method in vendor.paths.items():
                proxy = _proxy(vendor, path, environ)
                if path not in routes and proxy is not None:
                    routes[path] = _route(path, method, proxy)
                    if called is None and path in _CALLS:
                        called = proxy
    if called is not None:
        for path in _CALLS:
            routes.setdefault(path, _route(path, "POST", called))
    if not routes:
        if mock is None:
            keys = ", ".join(
                dict.fromkeys(
                    vendor.key for vendor in _VENDORS if vendor.provider in providers
                )
            )
            raise ConfigError([f"{NAME}, and no provider's key: set one of {keys}"])
        proxy = {
            "provider": "openai-compatible",
            "auth": {},
            "override": {"endpoint": mock},
        }
        # It speaks every dialect, and nobody's key is spent: all paths are its own.
        routes["/*"] = {
            "id": "mock",
            "uri": "/*",
            "strip_prefix": True,
            "plugins": {"ai-proxy": proxy},
        }
    tree = {
        "server": {"listen": ["tcp:9080:interface=127.0.0.1"]},
        "routes": list(routes.values()),
    }
    data = msgspec.json.encode(tree)
    return compiled(tree, data, environ, providers=providers, name=NAME)


def _route(path: str, method: str, proxy: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": path.removeprefix("/v1/")
        .strip("/")
        .replace("/", "-")
        .replace("*", "any"),
        "uri": path,
        "methods": [method],
        "strip_prefix": True,
        "plugins": {"ai-proxy": proxy},
    }


def _proxy(
    vendor: _Vendor, path: str, environ: Mapping[str, str]
) -> dict[str, Any] | None:
    """
    The ai-proxy object for one path; None where the base URL cannot serve it, or the
    region is not known.
    """
    name, value = vendor.header
    proxy: dict[str, Any] = {
        "provider": vendor.provider,
        "auth": {"header": {name: value}},
    }
    if vendor.region:
        region = next((environ[n] for n in vendor.region if environ.get(n)), None)
        if region is None:
            return None
        proxy["provider_conf"] = {"region": region}
    base = environ.get(vendor.base, "").rstrip("/") if vendor.base else ""
    if not base:
        return proxy
    try:
        given = endpoint_of(base)
    except ValueError as error:
        raise ConfigError([f"{NAME}: {vendor.base}: {error}"]) from error
    if given.path not in ("", vendor.prefix):
        # Paths somewhere below: each is spelled out, and a prefix cannot be.
        if path.endswith("*"):
            return None
        base += path.removeprefix(vendor.prefix)
    else:
        base = _origin(given)
    proxy["override"] = {"endpoint": base}
    if vendor.provider == "openai" and given.host != "api.openai.com":
        proxy["provider"] = "openai-compatible"
    return proxy


def _origin(endpoint: Endpoint) -> str:
    host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
    return f"{endpoint.scheme}://{host}:{endpoint.port}"
