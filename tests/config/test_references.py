"""References to the environment."""

from __future__ import annotations

import pytest

from aigw.config.references import resolve

from .samples import instance, loaded, problems, with_route

ENVIRON = {
    "KEY": "sk-1",
    "NUMBER": "250",
    "FLAG": "true",
    "EMPTY": "",
    "JSON": '{"user": "u", "n": 3}',
    "NESTED": "$env://KEY",
}


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("$env://KEY", ["sk-1"]),
        ("Bearer $env://KEY", ["Bearer sk-1"]),
        ("$ENV://KEY", ["sk-1"]),
        ("${{KEY}}", ["sk-1"]),
        ("${{ KEY }}", ["sk-1"]),
        ("${{KEY}}-${{NUMBER}}", ["sk-1-250"]),
        ("${{NUMBER}}", ["250", 250]),
        ("$env://NUMBER", ["250", 250]),
        ("${{FLAG}}", ["true", True]),
        ("${{NONE:=5}}", ["5", 5]),
        ("${{NONE:= a b }}", ["a b"]),
        ("${{NONE:=}}", ["", None]),
        ("${{KEY:=x}}", ["sk-1"]),
        ("${{EMPTY}}", ["", None]),
        ("$env://JSON/user", ["u"]),
        ("$env://JSON/n", ["3", 3]),
        ("${{NESTED}}", ["$env://KEY"]),
        ("costs $5 {{x}}", ["costs $5 {{x}}"]),
    ],
)
def test_references_are_replaced_once(text: str, values: list[object]) -> None:
    assert resolve(text, ENVIRON) == values


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("$env://NONE", "no variable NONE"),
        ("${{NONE}}", "no variable NONE"),
        ("$env://EMPTY", "variable EMPTY is empty"),
        ("$env://", "must be followed by"),
        ("$env://KEY/user", "no JSON object with the member user"),
        ("$env://JSON/none", "no JSON object with the member none"),
        ("$secret://vault/x", "not supported"),
        ("${{a b}}", "neither"),
        ("${{KEY", "neither"),
    ],
)
def test_a_reference_that_leads_nowhere_is_an_error(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        resolve(text, ENVIRON)


def test_a_lone_reference_is_read_as_the_field_wants_it() -> None:
    proxy = {
        "timeout": "${{NUMBER}}",
        "keepalive": "${{FLAG}}",
        "auth": {"header": {"x-key": "$env://NUMBER"}},
        "options": {"model": "m", "seed": "${{NUMBER}}", "stop": ["${{KEY}}"]},
    }
    made = instance(proxy, ENVIRON)
    assert made.patience.read == 0.25
    assert made.keepalive.size == 30
    assert made.auth_headers == [(b"x-key", b"250")]
    assert made.options == {"model": "m", "seed": 250, "stop": ["sk-1"]}


def test_a_missing_variable_names_the_field() -> None:
    proxy = {"auth": {"header": {"x-key": "$env://NOPE"}}, "options": {"a": ["${{B}}"]}}
    assert problems(with_route(proxy)) == [
        "routes[0].plugins.ai-proxy.auth.header.x-key:"
        " the environment has no variable NOPE",
        "routes[0].plugins.ai-proxy.options.a[0]: the environment has no variable B",
    ]


def test_references_in_what_is_ignored_are_not_followed() -> None:
    file = with_route()
    file["routes"][0]["plugins"]["http-logger"] = {"uri": "$env://NOPE"}
    assert len(loaded(file).routes) == 1


def test_an_empty_admin_key_is_no_key() -> None:
    file = {**with_route(), "admin": {"key": "${{ADMIN:=}}"}}
    assert loaded(file).admin.key is None
    assert problems({**file, "admin": {"key": ""}}) == [
        "admin.key: found '***'; accepted: string (not empty)"
    ]


def test_free_form_values_are_bounded_in_depth() -> None:
    deep: object = 1
    for _ in range(100):
        deep = [deep]
    assert (
        "nested deeper than 64 levels"
        in problems(with_route({"options": {"a": deep}}))[0]
    )


def test_half_a_character_is_refused() -> None:
    proxy = {"options": {"user": "\ud800", "a": "$env://BYTES"}}
    assert problems(with_route(proxy), {"BYTES": "a\udcff"}) == [
        f"routes[0].plugins.ai-proxy.options.{name}: holds what is no Unicode text"
        for name in ("user", "a")
    ]
