"""
Events: what the frames of an answer mean, in neutral words.

A reader makes them, a writer takes them; each lives for one step. msgspec Structs, not
dataclasses: several are made for every frame of a converted stream, and they cost a
fifth to make. The grammar:

    UsageReport* Started (BlockOpened (Text | Thinking | …)* BlockClosed | UsageReport
    | LogProbs | Ping | Unknown)* Finished* UsageReport* Ended

What is known of usage before the answer begins comes first, so that a writer whose
first frame tells it can. ``Failed`` may stand at any point and ends it. Blocks are
numbered per choice from 0 in the order they open and never reuse a number; more than
one may be open at a time.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from .finish import Finish
from .part import Citation as CitationValue
from .part import Signature as SignatureValue
from .usage import Usage

BlockKind = Literal[
    "text", "thinking", "redacted", "tool", "refusal", "image", "audio", "opaque"
]


class Event(msgspec.Struct, frozen=True, gc=False):
    """The root of all events."""


class Started(Event, frozen=True, gc=False):
    """
    The answer begins.

    :ivar created: seconds since the epoch, 0 where not told.
    :ivar tier: the service tier that serves it, in the provider's word.
    """

    id: str = ""
    model: str = ""
    created: int = 0
    tier: str = ""


class BlockOpened(Event, frozen=True, gc=False):
    """
    :ivar id: the tool call's id.
    :ivar name: the tool's name, as the client knows it.
    :ivar custom: whether the tool takes any text instead of a JSON object.
    :ivar dialect: the dialect that knows the block, where ``kind`` is ``opaque``.
    :ivar raw: the whole block as it came, JSON, where ``kind`` is ``opaque``.
    """

    choice: int
    block: int
    kind: BlockKind
    id: str = ""
    name: str = ""
    custom: bool = False
    dialect: str = ""
    raw: bytes = b""


class Text(Event, frozen=True, gc=False):
    choice: int
    block: int
    text: str


class Thinking(Event, frozen=True, gc=False):
    choice: int
    block: int
    text: str


class Signature(Event, frozen=True, gc=False):
    """The block (reasoning, a tool call, text) is signed."""

    choice: int
    block: int
    signature: SignatureValue


class Redacted(Event, frozen=True, gc=False):
    choice: int
    block: int
    signature: SignatureValue


class Arguments(Event, frozen=True, gc=False):
    """A piece of a tool call's arguments; joined they are the call's JSON."""

    choice: int
    block: int
    json: str


class Refusal(Event, frozen=True, gc=False):
    choice: int
    block: int
    text: str


class Media(Event, frozen=True, gc=False):
    """
    :ivar data: a piece of base64 data.
    :ivar transcript: a piece of what is spoken.
    """

    choice: int
    block: int
    type: str
    data: str = ""
    transcript: str = ""
    id: str = ""


class Citation(Event, frozen=True, gc=False):
    choice: int
    block: int
    citation: CitationValue


class LogProbs(Event, frozen=True, gc=False):
    """
    :ivar raw: in OpenAI's form: ``{"content": [...], "refusal": [...]}``.
    """

    choice: int
    raw: bytes


class BlockClosed(Event, frozen=True, gc=False):
    choice: int
    block: int


class UsageReport(Event, frozen=True, gc=False):
    """What was used so far, all reports together; a later one replaces it."""

    usage: Usage


class Finished(Event, frozen=True, gc=False):
    """
    A choice is complete; all its blocks are closed.

    :ivar native: the provider's own word for the reason.
    :ivar sequence: the stop sequence that was hit, None where none was.
    """

    choice: int
    reason: Finish
    native: str = ""
    sequence: str | None = None


class Ping(Event, frozen=True, gc=False):
    """The provider keeps the connection alive."""


class Failed(Event, frozen=True, gc=False):
    """
    The provider reports an error.

    :ivar kind: the neutral word, as of :class:`aigw.errors.GatewayError`.
    :ivar status: the HTTP status it has, or would have had.
    :ivar retry_after: seconds to wait, or None.
    :ivar native: the provider's own word for it.
    """

    kind: str
    status: int
    message: str
    retry_after: float | None = None
    native: str = ""


class Ended(Event, frozen=True, gc=False):
    """The dialect's terminal frame was seen."""


class Unknown(Event, frozen=True, gc=False):
    """
    A frame, or a part of one, that its reader does not know.

    :ivar path: where it stood.
    :ivar raw: its JSON.
    """

    path: str
    raw: bytes


#: Events that tell something of an open block.
OfBlock = (
    Text
    | Thinking
    | Signature
    | Redacted
    | Arguments
    | Refusal
    | Media
    | Citation
    | BlockClosed
)
