"""What cannot be read of a provider's answer, and what can be done about it."""

from __future__ import annotations

import re
from typing import Any, Final, TypeVar

import msgspec

from aigw.errors import UNREADABLE
from aigw.model.event import Failed, Unknown

T = TypeVar("T")

#: The largest text that is mended, bytes: that takes up to 0.1 s.
_LARGEST: Final = 1024 * 1024

#: An escape in JSON: a pair of surrogates, one alone (the group), or any other.
_ESCAPE: Final = re.compile(
    rb"\\(?:u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}"
    rb"|(u[dD][89a-fA-F][\da-fA-F]{2})|.)",
    re.DOTALL,
)


def mended(decoder: msgspec.json.Decoder[T], data: bytes) -> T | None:
    """
    Decode what ``decoder`` did not take: providers cut characters in two between
    deltas, and the half of one is no Unicode. It becomes U+FFFD; the rest is kept.
    None where that was not what ailed it.
    """
    if len(data) > _LARGEST:
        return None
    whole = data.decode("utf-8", "replace").encode()
    whole = _ESCAPE.sub(_kept, whole)
    if whole == data:
        return None
    try:
        return decoder.decode(whole)
    except UNREADABLE:
        return None


def unread(what: str, data: bytes) -> Unknown | Failed:
    """
    What is told of a frame that cannot be read. JSON of another shape is passed over,
    and so is the mark by which OpenAI's streams end. What is no JSON may have been any
    part of the answer, which shall not look complete without.

    :param what: names the frame.
    """
    try:
        msgspec.json.decode(data, type=Any)
    except UNREADABLE:
        if data.strip() not in (b"", b"[DONE]"):
            text = "the provider's stream is malformed: a frame is no JSON"
            return Failed("upstream", 502, text)
    return Unknown(what, data)


def _kept(escape: re.Match[bytes]) -> bytes:
    return escape[0] if escape[1] is None else rb"\ufffd"
