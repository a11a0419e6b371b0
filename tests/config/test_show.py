"""The effective configuration, shown without secrets."""

from __future__ import annotations

import yaml

from aigw.config.show import show

from .samples import instance, loaded, with_route

SECRETS = {
    "KEY": "env-secret",
    "ADMIN": "env-secret",
    "URL": "https://u:env-secret@h",
    "TIMEOUT": "1234",
}

FILE = """
admin: {key: "${{ADMIN}}"}
state: {url: "redis://user:literal-secret@h:6379/0"}
routes:
- uri: /v1/chat/completions
  plugins:
    http-logger: {auth_header: literal-secret}
    ai-proxy:
      provider: openai-compatible
      auth:
        header: {Authorization: "Bearer $env://KEY", X-Key: literal-secret,
                 X-Default: "${{NONE:=literal-secret}}"}
        query: {key: literal-secret}
        gcp: {service_account_json: '{"k": "literal-secret"}'}
        aws: {access_key_id: "$env://KEY", secret_access_key: "literal-secret$env://KEY"}
      options: {model: m, user: "$env://KEY", api_key: literal-secret, max_tokens: 5}
      override:
        endpoint: "https://h/x?api-version=2024&key=literal-secret"
        request_body: {openai-chat: {nested: [{client_secret: literal-secret}]}}
      proxy: "http://u:literal-secret@p:3128"
      timeout: ${{TIMEOUT}}
"""


def shown() -> dict[str, object]:
    text = show(loaded(FILE, SECRETS))
    tree = yaml.safe_load(text)
    assert isinstance(tree, dict)
    return tree


def test_no_secret_is_shown() -> None:
    text = show(loaded(FILE, SECRETS))
    assert "literal-secret" not in text
    assert "env-secret" not in text


def test_what_is_no_secret_is_shown_in_full() -> None:
    tree = shown()
    assert tree["admin"] == {
        "listen": ["tcp:9180:interface=127.0.0.1"],
        "key": "${{ADMIN}}",
    }
    assert tree["state"] == {"type": "memory", "url": "redis://***@h:6379/0"}
    proxy = tree["routes"][0]["plugins"]["ai-proxy"]  # type: ignore[index]
    assert proxy["auth"] == {
        "header": {
            "Authorization": "Bearer $env://KEY",
            "X-Key": "***",
            "X-Default": "***",
        },
        "query": {"key": "***"},
        "gcp": {"service_account_json": "***", "expire_early_secs": 60},
        "aws": {"access_key_id": "$env://KEY", "secret_access_key": "***"},
    }
    assert proxy["options"] == {
        "model": "m",
        "user": "$env://KEY",
        "api_key": "***",
        "max_tokens": 5,
    }
    assert proxy["override"]["endpoint"] == "https://h/x?api-version=2024&key=***"
    assert proxy["proxy"] == "http://***@p:3128"
    assert proxy["timeout"] == 1234
    assert proxy["keepalive_pool"] == 30
    assert proxy["timeouts"] == {}
    assert tree["routes"][0]["plugins"].keys() == {"ai-proxy"}  # type: ignore[index]


def test_what_is_shown_without_secrets_loads_again() -> None:
    settings = loaded(with_route({"options": {"model": "m"}}))
    again = loaded(show(settings))
    assert show(again) == show(settings)
    assert (
        again.routes[0].instances[0].options
        == instance({"options": {"model": "m"}}).options
    )


def test_overridden_listeners_are_shown() -> None:
    settings = loaded({**with_route(), "server": {"listen": ["tcp:$env://PORT"]}}, {
        "PORT": "1"
    })  # fmt: skip
    assert settings.server.endpoints == ("tcp:1",)
    assert yaml.safe_load(show(settings))["server"]["listen"] == ["tcp:$env://PORT"]
    changed = settings.listening(["tcp:2"])
    assert yaml.safe_load(show(changed))["server"]["listen"] == ["tcp:2"]
