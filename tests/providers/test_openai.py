"""What OpenAI-style providers are sent: body rules in order, target, credentials."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigw.errors import BadRequest
from aigw.model.envelope import Envelope
from aigw.model.instance import Endpoint, Instance, Streaming
from aigw.model.outbound import Outbound, Trust
from aigw.model.outcome import Verdict
from aigw.providers import built_in

CHAT = "openai-chat"
PLAIN = b'{ "model": "gpt-4o", "messages":[ {"role":"user","content":"hi"} ], "n":1.0 }'
STREAM = b'{"model":"gpt-4o","messages":[],"stream":true}'


def instance(provider: str = "openai", **settings: Any) -> Instance:
    if provider == "openai-compatible":
        settings.setdefault("endpoint", Endpoint("http", "127.0.0.1", 8000))
    return Instance(name="one", provider=provider, **settings)


def asked(body: bytes = PLAIN, path: str = "/v1/chat/completions") -> Envelope:
    method = "POST" if body else "GET"
    envelope = Envelope(method, path, path.encode(), b"", [])
    if body:
        envelope.open(body)
    return envelope


def prepared(
    body: bytes = PLAIN, dialect: str = CHAT, provider: str = "openai", **settings: Any
) -> Outbound:
    one = instance(provider, **settings)
    return built_in()[provider].prepare(asked(body), dialect, one)


def sent(*arguments: Any, **settings: Any) -> Any:
    return msgspec.json.decode(prepared(*arguments, **settings).body)


# -- bodies


def test_unchanged_body_is_the_clients_own_bytes() -> None:
    assert prepared().body is PLAIN


def test_option_equal_to_the_clients_value_changes_nothing() -> None:
    assert prepared(options={"model": "gpt-4o"}).body is PLAIN


def test_changed_body_keeps_order_and_raw_values() -> None:
    body = prepared(options={"model": "m", "seed": 7}).body
    messages = b'[ {"role":"user","content":"hi"} ]'
    assert body == b'{"model":"m","messages":%s,"n":1.0,"seed":7}' % messages


def test_large_integers_keep_their_digits() -> None:
    source = b'{"messages":[],"seed":123456789012345678901234567890}'
    body = prepared(source, options={"model": "m"}).body
    assert b"123456789012345678901234567890" in body


def test_options_win_over_the_client() -> None:
    assert sent(options={"model": "other", "temperature": 0})["model"] == "other"


def test_model_told_is_the_one_sent() -> None:
    assert prepared(options={"model": "other"}).model == "other"
    assert prepared().model == "gpt-4o"


def test_output_cap_takes_the_providers_field() -> None:
    source = b'{"messages":[],"max_tokens":9}'
    assert sent(source, max_tokens=5) == {"messages": [], "max_completion_tokens": 5}
    other = sent(source, provider="openai-compatible", max_tokens=5)
    assert other == {"messages": [], "max_tokens": 5}


def test_partial_body_fills_absent_keys_alone() -> None:
    source = b'{"messages":[],"a":{"x":1},"b":null,"c":[1]}'
    partial = {CHAT: {"a": {"x": 2, "y": 3}, "b": 1, "c": [2], "d": 4}}
    assert sent(source, request_body=partial) == {
        "messages": [],
        "a": {"x": 1, "y": 3},
        "b": None,
        "c": [1],
        "d": 4,
    }


def test_forced_partial_body_overwrites() -> None:
    source = b'{"messages":[],"a":{"x":1,"z":[]},"b":null,"c":[1]}'
    partial = {CHAT: {"a": {"x": 2, "y": 3}, "b": 1, "c": [2]}}
    assert sent(source, request_body=partial, force_override=True) == {
        "messages": [],
        "a": {"x": 2, "z": [], "y": 3},
        "b": 1,
        "c": [2],
    }


def test_partial_body_overrides_the_cap() -> None:
    partial = {CHAT: {"max_completion_tokens": 3}}
    body = sent(max_tokens=5, request_body=partial, force_override=True)
    assert body["max_completion_tokens"] == 3


def test_partial_body_of_another_dialect_is_ignored() -> None:
    assert prepared(request_body={"openai-embeddings": {"a": 1}}).body is PLAIN


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


def merge(old: Any, new: Any, force: bool) -> Any:
    """The rule of section 1.4, said in its slowest words."""
    result = dict(old)
    for key, value in new.items():
        if key not in result:
            result[key] = value
        elif isinstance(result[key], dict) and isinstance(value, dict):
            result[key] = merge(result[key], value, force)
        elif force:
            result[key] = value
    return result


@given(
    st.dictionaries(st.text(max_size=2), json_values),
    st.dictionaries(st.text(max_size=2), json_values, min_size=1),
    st.booleans(),
)
def test_merge_follows_its_rule(old: Any, new: Any, force: bool) -> None:
    expected = merge(old, new, force)
    body = prepared(
        msgspec.json.encode(old),
        "openai-embeddings",
        request_body={"openai-embeddings": new},
        force_override=force,
    ).body
    assert msgspec.json.decode(body) == expected


# -- usage of streams


def test_usage_is_asked_for_and_hidden() -> None:
    outbound = prepared(STREAM)
    body = msgspec.json.decode(outbound.body)
    assert body["stream_options"] == {"include_usage": True}
    assert outbound.hides_usage
    assert outbound.stream


def test_usage_asked_by_the_client_is_shown_and_changes_nothing() -> None:
    source = b'{"stream":true,"messages":[],"stream_options":{"include_usage":true}}'
    outbound = prepared(source)
    assert outbound.body is source
    assert not outbound.hides_usage


def test_stream_options_are_merged_not_replaced() -> None:
    source = (
        b'{"stream":true,"messages":[],"stream_options":{"include_usage":false,"x":1}}'
    )
    assert sent(source)["stream_options"] == {"include_usage": True, "x": 1}


def test_inject_shows_the_usage() -> None:
    outbound = prepared(STREAM, streaming=Streaming(usage="inject"))
    assert b"include_usage" in outbound.body
    assert not outbound.hides_usage


def test_client_leaves_the_body_alone() -> None:
    assert prepared(STREAM, streaming=Streaming(usage="client")).body is STREAM


@pytest.mark.parametrize("stream", [b"null", b"false", b'"true"', b"1"])
def test_only_true_streams(stream: bytes) -> None:
    source = b'{"messages":[],"stream":%s}' % stream
    outbound = prepared(source)
    assert outbound.body is source
    assert not outbound.stream


def test_forced_stream_is_metered_too() -> None:
    outbound = prepared(options={"stream": True})
    assert b"include_usage" in outbound.body
    assert outbound.stream


def test_stream_forbidden_by_options_is_not_asked_for_usage() -> None:
    outbound = prepared(STREAM, options={"stream": False})
    assert b"include_usage" not in outbound.body
    assert not outbound.stream


# -- where it goes


def test_openai_goes_to_its_own_host() -> None:
    outbound = prepared()
    origin = outbound.origin
    assert (origin.scheme, origin.host, origin.port) == ("https", "api.openai.com", 443)
    assert (outbound.method, outbound.target) == ("POST", b"/v1/chat/completions")


def test_embeddings_have_their_own_path() -> None:
    outbound = prepared(b'{"input":"x"}', "openai-embeddings")
    assert outbound.target == b"/v1/embeddings"


def test_trust_and_proxy_are_part_of_the_origin() -> None:
    origin = prepared(trust=Trust(verify=False), proxy="http://p:3128").origin
    assert origin.trust == Trust(verify=False)
    assert origin.proxy == "http://p:3128"


def test_endpoint_path_and_query_are_used_verbatim() -> None:
    endpoint = Endpoint("http", "h", 81, path="/x%20y", query="a=1")
    outbound = prepared(provider="openai-compatible", endpoint=endpoint)
    assert outbound.target == b"/x%20y?a=1"


def test_compatible_without_endpoint_is_refused() -> None:
    with pytest.raises(BadRequest, match="could not resolve upstream"):
        prepared(provider="openai-compatible", endpoint=None)


def passed(query: bytes = b"", path: str = "/v1/files", **settings: Any) -> Outbound:
    envelope = asked(b"", path)
    envelope.query = query
    return built_in()["openai"].prepare(envelope, "passthrough", instance(**settings))


def test_passthrough_keeps_method_path_and_query() -> None:
    outbound = passed(b"limit=2&after=a%2Fb")
    assert (outbound.method, outbound.body) == ("GET", b"")
    assert outbound.target == b"/v1/files?limit=2&after=a%2Fb"


def test_paths_stay_as_they_were_encoded() -> None:
    path = "/v1/models/org%2Fname%20x"
    assert passed(path=path).target == path.encode()


def test_nobody_overrides_auth_query() -> None:
    endpoint = Endpoint("https", "h", 443, query="key=evil&b=2")
    outbound = passed(b"key=mine&a=1&b=9", endpoint=endpoint, auth_query={"key": "s"})
    assert outbound.target == b"/v1/files?a=1&b=2&key=s"


def test_auth_headers_are_sent_and_not_shared() -> None:
    pairs = [(b"authorization", b"Bearer s")]
    outbound = prepared(auth_headers=pairs)
    assert (b"authorization", b"Bearer s") in outbound.headers
    assert outbound.headers is not pairs


# -- what answers mean


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (200, Verdict.OK),
        (400, Verdict.REJECTED),
        (401, Verdict.REFUSED),
        (403, Verdict.REFUSED),
        (404, Verdict.REJECTED),
        (429, Verdict.THROTTLED),
        (500, Verdict.BROKEN),
        (503, Verdict.OVERLOADED),
        (529, Verdict.OVERLOADED),
    ],
)
def test_status_is_judged(status: int, verdict: Verdict) -> None:
    assert built_in()["openai"].judge(status, [], None).verdict is verdict


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ([(b"retry-after", b"7")], 7.0),
        ([(b"retry-after", b"7"), (b"retry-after-ms", b"250")], 0.25),
        (
            [
                (b"date", b"Sat, 21 Nov 2026 10:00:00 GMT"),
                (b"retry-after", b"Sat, 21 Nov 2026 10:00:30 GMT"),
            ],
            30.0,
        ),
        ([(b"retry-after", b"soon")], None),
        ([(b"retry-after-ms", b"soon")], None),
        ([], None),
    ],
)
def test_retry_after_is_understood(headers: Any, seconds: float | None) -> None:
    assert built_in()["openai"].judge(429, headers, None).retry_after == seconds
