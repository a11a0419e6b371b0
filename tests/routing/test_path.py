"""Safe paths, and the dialect's own path."""

from __future__ import annotations

from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigw.errors import BadRequest
from aigw.model.path import own_path, safe_path


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        (b"/", "/", b""),
        (b"/v1/chat/completions", "/v1/chat/completions", b""),
        (b"/v1/chat/completions/", "/v1/chat/completions/", b""),
        (b"/v1/chat/completions?a=b?c", "/v1/chat/completions", b"a=b?c"),
        (b"/v1/x?", "/v1/x", b""),
        (b"/v1/x?../%2e%2e//", "/v1/x", b"../%2e%2e//"),
        (b"/v1/%66iles", "/v1/files", b""),
        (b"/a%20b", "/a b", b""),
        (b"/a%3Fb", "/a?b", b""),
        (b"/%C3%BC", "/\u00fc", b""),
        (b"/a%252e%252e/b", "/a%2e%2e/b", b""),
        (b"/.well-known/x", "/.well-known/x", b""),
        (b"/a/...", "/a/...", b""),
        (b"/a..b/c.", "/a..b/c.", b""),
        (b"/a;v=1/b", "/a;v=1/b", b""),
        (b"/model/a%3Ab%2Fc/converse", "/model/a:b/c/converse", b""),
        (b"/v1/models/org%2Fname", "/v1/models/org/name", b""),
        (
            b"/v1beta/models/gemini-pro:generateContent",
            "/v1beta/models/gemini-pro:generateContent",
            b"",
        ),
    ],
)
def test_a_safe_path_is_decoded_once(target: bytes, path: str, query: bytes) -> None:
    assert safe_path(target) == (path, query)


@pytest.mark.parametrize(
    "target",
    [
        b"",
        b"*",
        b"v1/x",
        b"http://h/v1",
        b"?a",
        b"//h/v1",
        b"/v1//x",
        b"/v1/x//",
        b"/v1/../x",
        b"/..",
        b"/.",
        b"/v1/./x",
        b"/v1/%2e%2e/x",
        b"/v1/.%2E/x",
        b"/v1/chat/..%2ffiles",
        b"/v1/chat/..%2Ffiles",
        b"/v1/chat%2fcompletions",
        b"/v1%2Fchat/completions",
        b"/v1/..;x/y",
        b"/v1/%2e%2e%3bx/y",
        b"/v1/..\\files",
        b"/v1/..%5cfiles",
        b"/model/..%2f..%2ffiles/converse",
        b"/model/a%2f%2fb/converse",
        b"/model/a/b%2fc",
        b"/model%2fa/b",
        b"/v1/%00",
        b"/v1/%0a",
        b"/v1/%7f",
        b"/v1/x y",
        b"/v1/x\t",
        b"/v1/x#y",
        b"/v1/\xc3\xbc",
        b"/v1/x?a b",
        b"/v1/x?a#b",
        b"/v1/%",
        b"/v1/%2",
        b"/v1/%zz",
        b"/v1/%ff",
        b"/v1/%c0%ae%c0%ae/x",
    ],
)
def test_what_two_readers_could_read_differently_is_refused(target: bytes) -> None:
    with pytest.raises(BadRequest, match="path is refused"):
        safe_path(target)


PIECES = st.sampled_from(
    ["/", "/", "a", "v1", "model", "models", ".", "..", "%2e", "%2E", "%2f", "%5c",
     "\\", ";", "%3b", "%25", "%", "?", "#", " ", "%00", "%c3%bc", "%ff", ":", "~"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=12).map("".join))
def test_nothing_gets_through_that_leads_elsewhere(text: str) -> None:
    target = f"/{text}".encode()
    try:
        path, query = safe_path(target)
    except BadRequest:
        return
    raw = target.partition(b"?")[0].decode()
    assert query == target.partition(b"?")[2]
    assert path == unquote(raw, errors="strict")
    segments = path.split("/")
    assert segments[0] == ""
    assert "" not in segments[1:-1]
    for segment in segments:
        assert segment.split(";")[0] not in (".", "..")
    assert not set(path) & set("\\\0")
    # What is matched is what is forwarded: encoded again, it reads the same.
    assert unquote(quote(path)) == path
    # Outside a model's id the segments are those that were sent.
    if "model" not in raw:
        assert [unquote(segment) for segment in raw.split("/")] == segments


@given(st.binary(max_size=30))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        path, _ = safe_path(b"/" + data)
    except BadRequest:
        return
    assert path.startswith("/")


@pytest.mark.parametrize(
    ("path", "own"),
    [
        ("/v1/chat/completions", "/v1/chat/completions"),
        ("/chat/completions", "/v1/chat/completions"),
        ("/openai/v1/chat/completions", "/v1/chat/completions"),
        ("/openai/chat/completions", "/v1/chat/completions"),
        ("/openai/models/gpt-4o", "/v1/models/gpt-4o"),
        ("/models", "/v1/models"),
        ("/embeddings", "/v1/embeddings"),
        ("/embeddingsx", "/embeddingsx"),
        ("/chat/completionsx", "/chat/completionsx"),
        ("/openai/deployments/x", "/openai/deployments/x"),
        ("/anthropic/v1/messages", "/v1/messages"),
        ("/anthropic/messages", "/anthropic/messages"),
        ("/bedrock/model/m/converse", "/model/m/converse"),
        ("/bedrock/v1/x", "/bedrock/v1/x"),
        ("/genai/v1beta/models/m:generateContent", "/v1beta/models/m:generateContent"),
        ("/genai/v1/models", "/v1/models"),
        ("/openai", "/openai"),
        ("/", "/"),
        ("/other/v1/messages", "/other/v1/messages"),
    ],
)
def test_prefixes_before_a_dialects_own_path_are_taken_away(
    path: str, own: str
) -> None:
    assert own_path(path) == own
    assert own_path(own) == own
