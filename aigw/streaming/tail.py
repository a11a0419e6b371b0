"""The end of a JSON answer that is too large to be kept, where its usage stands."""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from aigw.errors import UNREADABLE

#: The most bytes of an answer's end that are kept to find its usage there.
TAIL_LIMIT: Final = 64 * 1024
#: How many such members are tried; tools' arguments may hold some, too.
_MOST: Final = 16

#: A member with what was used, whatever the dialect. Within a string its quotes would
#: be escaped (RFC 8259, section 7).
_USED: Final = re.compile(rb'[{,]\s*("usage(?:Metadata)?"\s*:\s*\{)')
_objects = msgspec.json.Decoder(dict[str, msgspec.Raw])
_lists = msgspec.json.Decoder(list[msgspec.Raw])


def members(tail: bytes) -> bytes:
    """
    The last members of the object that ``tail`` ends, from the one that tells what was
    used, as an object of their own; of an array of objects, those of its last, as an
    array. ``b""`` where it is not there.

    :param tail: the last bytes of a JSON text, cut anywhere.
    """
    found = [match.start(1) for match in _USED.finditer(tail)]
    for start in reversed(found[-_MOST:]):
        rest = tail[start:]
        # What is deeper within the answer has more to close behind it than this opens.
        if _is(_objects, b"{" + rest):
            return b"{" + rest
        if _is(_lists, b"[{" + rest):
            return b"[{" + rest
    return b""


def _is(decoder: msgspec.json.Decoder[Any], text: bytes) -> bool:
    try:
        decoder.decode(text)
    except UNREADABLE:
        return False
    return True
