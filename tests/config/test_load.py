"""A whole file: every problem at once, nothing secret in any of them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from aigw.config.load import load
from aigw.errors import ConfigError

from .samples import PROVIDERS, loaded, problems, with_route

EVERYTHING = """
server:
  listen: [9080, "unix:/run/aigw.sock"]
  workers: auto
  max_connections: 100
  max_buffered_bytes: 1000
  graceful_timeout_ms: 1500
  default_max_req_body_size: 2000
  trusted_proxies: [10.0.0.0/8, "::1"]
admin: {listen: ["9180"], key: "${{AIGW_ADMIN_KEY}}"}
log: {access: {path: /var/log/aigw, format: json}, level: debug}
state: {type: memory}
routes:
- id: chat
  name: Chat
  uri: /v1/chat/completions
  methods: [POST]
  hosts: [api.example.com]
  plugins:
    ai-proxy: {provider: openai, auth: {}}
consumers:
- username: alice
plugin_metadata: {}
"""


def test_every_part_is_read() -> None:
    settings = loaded(EVERYTHING, {"AIGW_ADMIN_KEY": "k"})
    assert settings.server.endpoints == ("tcp:9080", "unix:/run/aigw.sock")
    assert settings.server.workers == "auto"
    assert settings.server.graceful_timeout == 1.5
    assert settings.server.trusted_proxies == ("10.0.0.0/8", "::1")
    assert settings.admin.endpoints == ("tcp:9180",)
    assert settings.admin.key == "k"
    assert settings.log.access is not None
    assert settings.log.access.path == "/var/log/aigw"
    assert settings.log.level == "debug"
    assert settings.routes[0].id == "chat"
    assert settings.routes[0].instances[0].max_body == 2000
    assert settings.consumers[0].username == "alice"
    (warning,) = settings.warnings
    assert warning.startswith("gw.yaml: admin.key: no use yet")
    assert settings.sha256 == hashlib.sha256(EVERYTHING.encode()).hexdigest()


def test_defaults_are_the_documented_ones() -> None:
    settings = loaded(with_route())
    assert settings.server.endpoints == ("tcp:9080",)
    assert settings.admin.endpoints == ("tcp:9180:interface=127.0.0.1",)
    assert settings.admin.key is None
    assert settings.log.access is not None
    assert settings.log.access.path == "-"
    assert settings.state.type == "memory"


def test_parts_left_empty_are_their_defaults() -> None:
    text = "server:\nlog:\nroutes: []\nadmin: {}\n"
    assert loaded(text).server.endpoints == ("tcp:9080",)
    assert loaded(text).log.level == "info"


def test_access_records_can_be_switched_off() -> None:
    assert loaded({**with_route(), "log": {"access": None}}).log.access is None


def test_all_problems_are_told_at_once() -> None:
    text = """
server: {listen: [0], workers: none, max_conections: 3}
log: {level: loud}
routes:
- uri: v1
  methods: [FETCH]
  plugins:
    key-auth: {}
    ai-proxy:
      provider: opnai
      auth: {headers: {}}
      timeout: 0
      timeouts: {total_ms: soon}
- plugins: {ai-proxy: {auth: 3}}
rutes: []
"""
    assert problems(text) == [
        "server.listen[0]: found 0: no TCP port;"
        " accepted: a Twisted endpoint description, or a TCP port",
        "server.workers: found 'none'; accepted: integer or string (at least 1; auto)",
        "server.max_conections: unknown field; did you mean max_connections?",
        "log.level: found 'loud';"
        " accepted: string (debug, info, warn, error, critical)",
        "routes[0].uri: found 'v1': it does not begin with /;"
        " accepted: a path beginning with /, or such a prefix ending in *",
        "routes[0].methods[0]: found 'FETCH'; accepted: string (GET, POST, PUT,"
        " DELETE, PATCH, HEAD, OPTIONS, CONNECT, TRACE, PURGE)",
        "routes[0].plugins.key-auth: not implemented by this version;"
        " set its _meta.disable to true to leave it out",
        "routes[0].plugins.ai-proxy.auth.headers: unknown field; did you mean header?",
        "routes[0].plugins.ai-proxy.timeout: found 0; accepted: integer (1 to 600000)",
        "routes[0].plugins.ai-proxy.timeouts.total_ms: found 'soon';"
        " accepted: integer (at least 1)",
        "routes[1].plugins.ai-proxy.auth: found 3; accepted: object"
        " (`{}` where the client's own credentials are to pass)",
        "routes[1].plugins.ai-proxy.provider: missing; accepted: string (not empty)",
        "rutes: unknown field; did you mean routes?",
        "routes[0].plugins.ai-proxy.provider: found 'opnai'; did you mean openai?"
        " accepted: anthropic, bedrock, openai, openai-compatible, vertex-ai",
        "routes[1].uri: missing; accepted: uri or uris",
    ]


@pytest.mark.parametrize(
    "proxy",
    [
        {"auth": "sk-secret"},
        {"auth": {"header": {"authorization": ["sk-secret"]}}},
        {"auth": {"header": {"authorization": "sk-secret\n"}}},
        {"auth": {"header": {"Bearer sk-secret": "x"}}},
        {"auth": {"header": "sk-secret"}},
        {"auth": {"query": {"key": {"a": "sk-secret"}}}},
        {"auth": {"gcp": {"service_account_json": "{sk-secret"}}},
        {"auth": {"aws": {"access_key_id": "sk-secret", "session_token": ""}}},
        {"override": {"endpoint": "https://u:sk-secret@h/"}},
        {"override": {"endpoint": "ftp://h/?key=sk-secret"}},
        {"proxy": "socks5://u:sk-secret@h:1"},
        {"timeout": "$env://SECRET"},
        {"timeout": "${{SECRET}}"},
        {"provider_conf": "${{SECRET}}"},
    ],
)
def test_no_secret_is_told(proxy: dict[str, object]) -> None:
    told = "\n".join(problems(with_route(proxy), {"SECRET": "sk-secret"}))
    assert "sk-secret" not in told
    assert "routes[0].plugins.ai-proxy." in told


def test_an_unreadable_file_is_one_problem(tmp_path: Path) -> None:
    path = tmp_path / "none.yaml"
    with pytest.raises(ConfigError) as refused:
        load(path, {}, providers=PROVIDERS)
    assert refused.value.problems == [
        f"{path}: cannot be read: No such file or directory"
    ]


def test_a_file_is_read_from_its_path(tmp_path: Path) -> None:
    path = tmp_path / "gw.yaml"
    path.write_text(EVERYTHING)
    settings = load(str(path), {"AIGW_ADMIN_KEY": "k"}, providers=PROVIDERS)
    assert settings.routes[0].id == "chat"
    path.write_text("routes: {}")
    with pytest.raises(ConfigError, match="routes: found an object; accepted"):
        load(path, {}, providers=PROVIDERS)


@pytest.mark.parametrize("text", ["", "  \n", "# nothing\n", "null"])
def test_an_empty_file_is_refused(text: str) -> None:
    assert problems(text) == ["the file is empty"]


def test_a_file_that_is_no_object_is_refused() -> None:
    assert problems("- a") == ["found a list; accepted: object"]


def test_a_file_without_routes_is_warned_of() -> None:
    assert loaded("server: {}").warnings == (
        "gw.yaml: routes: there are none: every request will get 404",
    )


def test_state_in_redis_is_not_built() -> None:
    file = {**with_route(), "state": {"type": "redis", "url": "redis://:pw@h"}}
    assert problems(file) == [
        "state.type: redis is not implemented by this version; accepted: memory"
    ]


def test_the_command_line_overrides_listeners() -> None:
    settings = loaded(EVERYTHING, {"AIGW_ADMIN_KEY": "k"})
    changed = settings.listening(["tcp:1"], ["tcp:2", "tcp:3"])
    assert changed.server.endpoints == ("tcp:1",)
    assert changed.admin.endpoints == ("tcp:2", "tcp:3")
    assert changed.server.max_connections == 100
    assert settings.listening().server.endpoints == settings.server.endpoints


@pytest.mark.parametrize("text", ["tcp:99999", "tcp6:port=65536", "haproxy:tcp:70000"])
def test_a_listener_whose_port_is_none_is_refused(text: str) -> None:
    (told,) = problems({"server": {"listen": [text]}})
    assert told.startswith(f"server.listen[0]: found '{text}': no TCP port")
