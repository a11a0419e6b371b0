"""
What a model says of what it was shown. A text that depends on the request proves that
the request came through: results of tools, pictures, reasoning that came back.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

#: How the pictures that every vendor takes begin.
_BEGINNINGS: Final = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
)

REASONED: Final = "My reasoning came back as I sealed it."


@dataclass(slots=True)
class Heard:
    """
    What the last turn of a request had for the model.

    :ivar said: sentences, in the order of what they are about.
    """

    said: list[str] = field(default_factory=list)

    def result(self, name: str, text: str) -> None:
        """A tool's result."""
        self.said.append(f"{name} returned: {text}")

    def media(self, kind: str, data: bytes) -> None:
        """A picture, a sound or a document; its media type, and its bytes."""
        self.said.append(f"I was shown {kind} of {len(data)} bytes.")

    def encoded(self, kind: str, data: str) -> None:
        """The same, of base64."""
        self.media(kind, decoded(data) or b"")

    def linked(self, url: str) -> None:
        """One that is to be fetched."""
        self.said.append(f"I was shown {url}.")

    def reasoned(self) -> None:
        """Reasoning that came back as it was."""
        if REASONED not in self.said:
            self.said.append(REASONED)

    def text(self) -> str | None:
        """All of it; None if there was nothing of note."""
        return " ".join(self.said) if self.said else None


def decoded(text: object) -> bytes | None:
    """The bytes of strict base64 (RFC 4648, section 4); None if it is none."""
    if not isinstance(text, str) or not text:
        return None
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def contradicted(kind: str, data: bytes) -> str | None:
    """The media type that ``data`` begins as, if that is another one than ``kind``."""
    found = _kind(data)
    return found if found and kind.startswith("image/") and found != kind else None


def _kind(data: bytes) -> str | None:
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for start, kind in _BEGINNINGS if data.startswith(start)), None)


def stranger(given: dict[str, object], known: Sequence[str] | frozenset[str]) -> str:
    """The first field that is not known; "" if there is none."""
    return next((name for name in given if name not in known), "")
