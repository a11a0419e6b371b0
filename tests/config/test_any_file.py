"""Whatever stands in a file, it is loaded or refused with problems."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from aigw.config.load import load
from aigw.config.show import show
from aigw.errors import ConfigError

from .samples import PROVIDERS

FULL: dict[str, Any] = {
    "server": {"listen": [9080, "tcp:1"], "workers": 2, "trusted_proxies": ["::1"]},
    "admin": {"listen": [], "key": "k"},
    "log": {"access": {"path": "-"}, "level": "info"},
    "state": {"type": "memory", "url": "redis://h"},
    "routes": [
        {
            "id": 1,
            "uri": "/a",
            "methods": ["GET"],
            "hosts": ["h", "*.h"],
            "remote_addrs": ["::1"],
            "vars": ["OR", ["arg_a", "!", "in", ["1"]], ["post_arg.a", "~~", "b"]],
            "plugins": {
                "prometheus": {},
                "key-auth": {"_meta": {"disable": True}},
                "ai-proxy": {
                    "provider": "bedrock",
                    "provider_conf": {"region": "r"},
                    "auth": {
                        "header": {"a": "Bearer $env://X"},
                        "query": {"q": "v"},
                        "gcp": {"service_account_json": "{}", "max_ttl": 1},
                        "aws": {"access_key_id": "a", "secret_access_key": "s"},
                    },
                    "options": {"model": "m", "stop": ["a"], "t": 0.5},
                    "override": {
                        "endpoint": "http://[::1]:80/x?y",
                        "llm_options": {"max_tokens": 5},
                        "request_body": {"openai-chat": {"a": [1]}},
                    },
                    "timeouts": {"idle_ms": 5},
                    "forward_request_headers": {"allow": ["a"]},
                    "allow_origins": ["http://a"],
                    "proxy": "http://p",
                    "_meta": {"disable": False},
                },
            },
        }
    ],
    "consumers": [{"username": "a", "plugins": {}}],
    "plugin_metadata": {},
}


def _places(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    if isinstance(tree, dict):
        for key, item in tree.items():
            found += _places(item, (*path, key))
    elif isinstance(tree, list):
        for index, item in enumerate(tree):
            found += _places(item, (*path, index))
    return found


ODD: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, 0, -1, 2**70, 1.5, "", "x", "$env://X", "${{X}}", "${{NO:=5}}",
     "$env://NO", "${{", "$secret://a", "http://[", "http://a:b:c", "[", "\ud800",
     "999999999999", [], {}, [[]], [None], {"": 1}, {"_meta": {"disable": True}},
     ["OR"], [["a"]], "*", "/", "\n", "a" * 300]
)  # fmt: skip


def test_the_file_that_is_varied_is_good() -> None:
    made = load(json.dumps(FULL).encode(), {"X": "1"}, providers=PROVIDERS)
    assert len(made.routes) == 1


def _changed(changes: list[tuple[tuple[Any, ...], Any]]) -> bytes:
    tree = copy.deepcopy(FULL)
    for path, value in changes:
        inner: Any = tree
        try:
            for step in path[:-1]:
                inner = inner[step]
            inner[path[-1]] = copy.deepcopy(value)
        except (TypeError, KeyError, IndexError):
            continue  # an earlier change took that place away
    return json.dumps(tree).encode()


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(_places(FULL)), ODD), max_size=3))
def test_any_field_may_hold_anything(
    changes: list[tuple[tuple[Any, ...], Any]],
) -> None:
    problems: list[str] = []
    shown = ""
    try:
        made = load(_changed(changes), {"X": "1"}, providers=PROVIDERS, name="gw")
        shown = show(made)
    except ConfigError as error:
        problems = error.problems
    assert problems or shown
    assert len(set(problems)) == len(problems)
    assert all(line.startswith("gw: ") for line in problems)
