"""The reference's expressions over a request."""

from __future__ import annotations

from typing import Any

import pytest

from aigw.config.vars import compile_vars
from aigw.model.envelope import Envelope

BODY = (
    b'{"model": "gpt-4o", "stream": true, "n": 2, "none": null, "meta": {"a.b": 1,'
    b' "tags": ["x", "y"]}, "messages": [{"role": "user", "content": [{"type": "text"},'
    b' {"type": "image_url"}]}, {"role": "system", "content": "hi"}]}'
)


def envelope(body: bytes | None = BODY) -> Envelope:
    made = Envelope(
        method="POST",
        path="/v1/chat/completions",
        target=b"/v1/chat/completions?name=a%20b&age=24&name=second&empty",
        query=b"name=a%20b&age=24&name=second&empty",
        headers=[
            (b"host", b"API.Example.com:8080"),
            (b"x-team", b"red"),
            (b"x-team", b"blue"),
            (b"cookie", b"a=1; session=s=2"),
            (b"cookie", b"late=3"),
            (b"content-type", b"application/json"),
        ],
    )
    if body is not None:
        made.open(body)
    return made


def holds(rule: list[Any], peer: str = "10.0.0.7") -> bool:
    return compile_vars(rule).test(envelope(), peer)


@pytest.mark.parametrize(
    ("condition", "true"),
    [
        (["uri", "==", "/v1/chat/completions"], True),
        (["request_uri", "~~", r"\?name="], True),
        (["request_method", "==", "POST"], True),
        (["request_method", "~=", "POST"], False),
        (["host", "==", "api.example.com"], True),
        (["args", "==", "name=a%20b&age=24&name=second&empty"], True),
        (["arg_name", "==", "a b"], True),
        (["arg_empty", "==", ""], True),
        (["arg_none", "==", "x"], False),
        (["arg_none", "~=", "x"], True),
        (["arg_none", "==", None], True),
        (["arg_name", "==", None], False),
        (["arg_age", "==", 24], True),
        (["arg_age", "==", 24.5], False),
        (["arg_age", ">", 23], True),
        (["arg_age", ">", 24], False),
        (["arg_age", ">=", 24], True),
        (["arg_age", "<", 25], True),
        (["arg_age", "<=", 23], False),
        (["arg_name", ">", 1], False),
        (["arg_none", "<", 1], False),
        (["arg_none", "!", "<", 1], True),
        (["arg_name", ">", "a"], True),
        (["arg_name", "~~", "^a"], True),
        (["arg_name", "~~", "^A"], False),
        (["arg_name", "~*", "^A"], True),
        (["arg_name", "!", "~*", "^A"], False),
        (["arg_none", "~~", ".*"], False),
        (["arg_age", "in", ["23", "24"]], True),
        (["arg_age", "in", [23, 24]], True),
        (["arg_age", "in", []], False),
        (["http_x_team", "==", "red, blue"], True),
        (["http_x_none", "==", None], True),
        (["cookie_session", "==", "s=2"], True),
        (["cookie_late", "==", "3"], True),
        (["cookie_none", "==", "3"], False),
        (["content_type", "==", "application/json"], True),
        (["remote_addr", "==", "10.0.0.7"], True),
        (["remote_addr", "ipmatch", ["192.168.0.0/16", "10.0.0.0/8"]], True),
        (["remote_addr", "ipmatch", "10.0.0.7"], True),
        (["remote_addr", "!", "ipmatch", ["10.0.0.0/8"]], False),
        (["arg_name", "ipmatch", ["10.0.0.0/8"]], False),
        (["post_arg.model", "==", "gpt-4o"], True),
        (["post_arg.model", "~~", "^gpt-"], True),
        (["post_arg.stream", "==", True], True),
        (["post_arg.stream", "==", "true"], False),
        (["post_arg.n", "==", 2], True),
        (["post_arg.n", "==", "2"], True),
        (["post_arg.n", "~~", "^2$"], True),
        (["post_arg.none", "==", None], True),
        (["post_arg.meta.tags", "has", "y"], True),
        (["post_arg.meta.tags", "has", "z"], False),
        (["post_arg.meta.tags[1]", "==", "y"], True),
        (["post_arg.meta.tags[2]", "==", None], True),
        (["post_arg.model", "has", "gpt-4o"], False),
        (["post_arg.messages[*].role", "has", "system"], True),
        (["post_arg.messages[*].content[*].type", "has", "image_url"], True),
        (["post_arg.messages[*].content[*].type", "has", "audio"], False),
        (["post_arg.messages[0].content[1].type", "==", "image_url"], True),
        (["post_arg.model.deeper", "==", None], True),
        (["post_arg.model[0]", "==", None], True),
    ],
)
def test_conditions(condition: list[Any], true: bool) -> None:
    assert holds(condition) is true
    assert holds([condition]) is true
    name, *rest = condition
    inverse = [name, *rest[1:]] if rest[0] == "!" else [name, "!", *rest]
    assert holds([inverse]) is not true


YES = ["request_method", "==", "POST"]
NO = ["request_method", "==", "GET"]


@pytest.mark.parametrize(
    ("rule", "true"),
    [
        ([YES, YES], True),
        ([YES, NO], False),
        (["AND", YES, YES], True),
        (["AND", YES, NO], False),
        (["OR", NO, YES], True),
        (["OR", NO, NO], False),
        (["!AND", YES, NO], True),
        (["!AND", YES, YES], False),
        (["!OR", NO, NO], True),
        (["!OR", NO, YES], False),
        (["AND", YES, ["OR", NO, ["!AND", NO]]], True),
        ([["OR", NO, YES], ["!OR", YES]], False),
        ([[YES, YES]], True),
    ],
)
def test_logic_nests(rule: list[Any], true: bool) -> None:
    assert holds(rule) is true


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ([], "must not be empty"),
        (["OR"], "followed by at least one"),
        (["OR", "x"], "joins lists"),
        ([["uri"]], r"is not \[variable, operator, value\]"),
        ([["uri", "=="]], r"is not \[variable, operator, value\]"),
        ([["uri", "==", 1, 2]], r"is not \[variable, operator, value\]"),
        ([["uri", "=~", "x"]], "unknown operator '=~'"),
        ([["XOR", ["a"], ["b"]]], r"is not|unknown"),
        ([["uri", "!", "!", "x"]], "unknown operator '!'"),
        ([["url", "==", "x"]], "unknown variable url; there are uri,"),
        ([["arg_", "==", "x"]], "unknown variable arg_"),
        ([["graphql_name", "==", "x"]], "unknown variable"),
        ([["post_arg.", "==", "x"]], "unknown variable"),
        ([["post_arg.[0]", "==", "x"]], "no path"),
        ([["post_arg.a[x]", "==", "x"]], "no path"),
        ([["uri", "~~", "("]], "uri ~~: "),
        ([["uri", "~~", 1]], "takes a regular expression"),
        ([["uri", "in", "x"]], "takes a list"),
        ([["uri", ">", []]], "compares with"),
        ([["uri", "==", []]], "compares with"),
        ([["remote_addr", "ipmatch", ["10.0.0.0/33"]]], "remote_addr ipmatch"),
        ([["remote_addr", "ipmatch", []]], "takes a list"),
        ([1], "joins lists"),
    ],
)
def test_what_is_no_expression_is_refused(rule: list[Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        compile_vars(rule)


def test_it_says_whether_the_body_is_needed() -> None:
    assert compile_vars([YES, ["post_arg.model", "==", "m"]]).reads_body
    assert not compile_vars([YES, ["http_x_post_arg.", "==", "m"]]).reads_body


def test_without_a_json_body_nothing_is_posted() -> None:
    test = compile_vars([["post_arg.model", "==", None]]).test
    assert test(envelope(None), "")


def test_a_mapped_address_is_its_ipv4_address() -> None:
    assert holds([["remote_addr", "ipmatch", ["10.0.0.0/8"]]], "::ffff:10.0.0.7")
    assert not holds([["remote_addr", "ipmatch", ["10.0.0.0/8"]]], "unix")
    assert holds([["remote_addr", "ipmatch", ["fd00::/8"]]], "fd00::1")
