"""
Parts: what messages and answers are made of, in neutral words.

JSON that only passes through (arguments, schemas, citations, what nobody knows) stays
the text it was: no number loses digits, no key its place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: Fields of an object that its reader did not know: the path within the object, and the
#: raw JSON found there. They mean something in the dialect they came from alone.
Rider = tuple[tuple[tuple[str, ...], bytes], ...]


@dataclass(frozen=True, slots=True)
class Cache:
    """
    A marker: the prompt up to and including this may be cached.

    :ivar ttl: how long, in the words of who set it (``5m``, ``1h``…); ``""`` where the
        provider's default is meant.
    """

    ttl: str = ""


@dataclass(frozen=True, slots=True)
class Signature:
    """
    What lets a vendor recognise its model's own reasoning in a later turn.

    :ivar vendor: who can read it: ``anthropic``, ``gemini``, ``openai``.
    :ivar value: opaque text, base64 where the vendor's is binary.
    """

    vendor: str
    value: str


@dataclass(frozen=True, slots=True)
class Citation:
    """
    Where text was taken from.

    :ivar quote: the words cited, ``""`` where not told.
    :ivar start: first character of the citing text, None where not told.
    :ivar end: the character behind its last.
    :ivar dialect: the dialect ``raw`` is in.
    :ivar raw: the citation as it came, JSON.
    """

    url: str = ""
    title: str = ""
    quote: str = ""
    start: int | None = None
    end: int | None = None
    dialect: str = ""
    raw: bytes = b""


@dataclass(frozen=True, slots=True)
class Text:
    """
    :ivar json: whether the text is JSON that stood there as a value, not as text, as
        some dialects have it in tool results.
    """

    text: str
    citations: tuple[Citation, ...] = ()
    cache: Cache | None = None
    signature: Signature | None = None
    rider: Rider = ()
    json: bool = False

    @property
    def plain(self) -> bool:
        """Whether a string says all that it does."""
        said = self.rider or self.citations or self.signature is not None
        return self.cache is None and not said


@dataclass(frozen=True, slots=True)
class Refusal:
    """The model declines, in its own words."""

    text: str
    rider: Rider = ()


@dataclass(frozen=True, slots=True)
class Media:
    """
    An image, a document, sound or video.

    :ivar source: what ``value`` is: ``base64`` data, a ``url``, a ``file`` id at the
        provider, or plain ``text``.
    :ivar type: media type, ``""`` where not told.
    :ivar name: file name or title.
    :ivar detail: how closely it is to be looked at (OpenAI: low, high, auto).
    :ivar transcript: what is spoken, where a model made the sound.
    """

    kind: Literal["image", "document", "audio", "video"]
    source: Literal["base64", "url", "file", "text"]
    value: str
    type: str = ""
    name: str = ""
    detail: str = ""
    transcript: str = ""
    cache: Cache | None = None
    rider: Rider = ()


@dataclass(frozen=True, slots=True)
class Thinking:
    text: str
    signature: Signature | None = None
    rider: Rider = ()


@dataclass(frozen=True, slots=True)
class Redacted:
    """Reasoning that the vendor shows to nobody but itself."""

    signature: Signature


@dataclass(frozen=True, slots=True)
class ToolCall:
    """
    :ivar arguments: JSON text of an object; of a ``custom`` tool any text.
    :ivar signature: Gemini signs calls, not only reasoning.
    """

    id: str
    name: str
    arguments: str
    kind: Literal["function", "custom"] = "function"
    signature: Signature | None = None
    cache: Cache | None = None
    rider: Rider = ()


@dataclass(frozen=True, slots=True)
class ToolResult:
    """
    :ivar id: of the call it answers.
    :ivar name: of the tool, ``""`` where the dialect does not repeat it.
    :ivar error: whether the tool failed.
    :ivar custom: whether the call was of a tool that takes text, where that is told.
    """

    id: str
    parts: tuple[Part, ...]
    name: str = ""
    error: bool = False
    custom: bool = False
    cache: Cache | None = None
    rider: Rider = ()


@dataclass(frozen=True, slots=True)
class Opaque:
    """
    Something only its own dialect knows (a provider's hosted tool at work…).

    :ivar dialect: that dialect's name.
    :ivar type: its word for the thing.
    :ivar raw: the whole object, JSON.
    """

    dialect: str
    type: str
    raw: bytes


Part = Text | Refusal | Media | Thinking | Redacted | ToolCall | ToolResult | Opaque
