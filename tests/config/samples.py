"""Configurations that tests vary."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from aigw.config.load import load
from aigw.config.settings import Settings
from aigw.errors import ConfigError
from aigw.model.instance import Instance
from aigw.model.route import Route

PROVIDERS: dict[str, str | None] = {
    "openai": "api.openai.com",
    "openai-compatible": None,
    "anthropic": "api.anthropic.com",
    "bedrock": "bedrock-runtime.{region}.amazonaws.com",
    "vertex-ai": "{region}-aiplatform.googleapis.com",
}


def loaded(
    file: Mapping[str, Any] | str, environ: Mapping[str, str] | None = None
) -> Settings:
    """Settings of a file given as objects or as YAML text."""
    data = (file if isinstance(file, str) else json.dumps(file)).encode()
    return load(data, environ or {}, providers=PROVIDERS, name="gw.yaml")


def problems(
    file: Mapping[str, Any] | str, environ: Mapping[str, str] | None = None
) -> list[str]:
    """What is wrong with a file, without the file's name before it."""
    with pytest.raises(ConfigError) as refused:
        loaded(file, environ)
    assert all(line.startswith("gw.yaml: ") for line in refused.value.problems)
    return [line.removeprefix("gw.yaml: ") for line in refused.value.problems]


def with_route(proxy: Mapping[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    """A file with one route; ``proxy`` varies its ai-proxy, ``fields`` the route."""
    plugins = {"ai-proxy": {"provider": "openai", "auth": {}, **(proxy or {})}}
    return {"routes": [{"uri": "/v1/chat/completions", "plugins": plugins, **fields}]}


def route(
    proxy: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
    **fields: Any,
) -> Route:
    """The compiled route of such a file."""
    return loaded(with_route(proxy, **fields), environ).routes[0]


def instance(
    proxy: Mapping[str, Any] | None = None, environ: Mapping[str, str] | None = None
) -> Instance:
    """The compiled instance of such a file."""
    return route(proxy, environ).instances[0]
