"""Between a stream of events and a whole answer, both ways."""

from __future__ import annotations

from typing import Literal

from aigw.model import event as events
from aigw.model.answer import Answer, Choice
from aigw.model.event import Event
from aigw.model.finish import Finish
from aigw.model.part import (
    Citation,
    Media,
    Opaque,
    Part,
    Redacted,
    Refusal,
    Signature,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from aigw.model.usage import Usage


class _Block:
    """A block being gathered."""

    __slots__ = ("citations", "opened", "pieces", "signature", "transcript", "type")

    def __init__(self, opened: events.BlockOpened) -> None:
        self.opened = opened
        self.pieces: list[str] = []
        self.transcript: list[str] = []
        self.citations: list[Citation] = []
        self.signature: Signature | None = None
        self.type = ""

    def part(self) -> Part | None:
        opened, text = self.opened, "".join(self.pieces)
        match opened.kind:
            case "text":
                return Text(text, tuple(self.citations), signature=self.signature)
            case "thinking":
                return Thinking(text, self.signature)
            case "redacted":
                return Redacted(self.signature) if self.signature else None
            case "refusal":
                return Refusal(text)
            case "tool":
                return ToolCall(
                    opened.id,
                    opened.name,
                    text,
                    "custom" if opened.custom else "function",
                    self.signature,
                )
            case "image" | "audio":
                kind: Literal["image", "audio"] = opened.kind
                spoken = "".join(self.transcript)
                return Media(
                    kind,
                    "base64",
                    text,
                    type="" if self.type == kind else self.type,
                    name=opened.id,
                    transcript=spoken,
                )
        return Opaque(opened.dialect, opened.name, opened.raw)


class Gather:
    """
    Takes all events of one answer, then gives it whole.

    :param origin: the dialect the events were read from.
    :ivar failed: the error that ended it, None where none did.
    :ivar ended: whether its terminal frame was seen.
    """

    def __init__(self, origin: str) -> None:
        self._origin = origin
        self._started = events.Started()
        self._blocks: dict[tuple[int, int], _Block] = {}
        self._finished: dict[int, events.Finished] = {}
        self._logprobs: dict[int, bytes] = {}
        self._usage: Usage | None = None
        self.failed: events.Failed | None = None
        self.ended = False

    def feed(self, event: Event) -> None:
        match event:
            case events.BlockOpened():
                self._blocks[event.choice, event.block] = _Block(event)
            case events.Text() | events.Thinking() | events.Refusal():
                self._block(event).pieces.append(event.text)
            case events.Arguments():
                self._block(event).pieces.append(event.json)
            case events.Media():
                block = self._block(event)
                block.pieces.append(event.data)
                block.transcript.append(event.transcript)
                block.type = event.type
            case events.Signature() | events.Redacted():
                self._block(event).signature = event.signature
            case events.Citation():
                self._block(event).citations.append(event.citation)
            case events.Started():
                self._started = event
            case events.UsageReport():
                self._usage = event.usage
            case events.LogProbs():
                self._logprobs[event.choice] = event.raw
            case events.Finished():
                self._finished[event.choice] = event
            case events.Failed():
                self.failed = event
            case events.Ended():
                self.ended = True

    def answer(self) -> Answer:
        """What was gathered so far."""
        parts: dict[int, list[Part]] = {choice: [] for choice in self._finished}
        for (choice, _), block in self._blocks.items():
            part = block.part()
            if part is not None:
                parts.setdefault(choice, []).append(part)
        started = self._started
        return Answer(
            origin=self._origin,
            choices=tuple(
                self._choice(choice, parts[choice]) for choice in sorted(parts)
            ),
            id=started.id,
            model=started.model,
            created=started.created,
            tier=started.tier,
            usage=self._usage,
        )

    def _block(self, event: events.OfBlock) -> _Block:
        return self._blocks[event.choice, event.block]

    def _choice(self, choice: int, parts: list[Part]) -> Choice:
        finished = self._finished.get(choice) or events.Finished(choice, Finish.OTHER)
        return Choice(
            index=choice,
            parts=tuple(parts),
            finish=finished.reason,
            native=finished.native,
            sequence=finished.sequence,
            logprobs=self._logprobs.get(choice),
        )


def events_of(answer: Answer) -> list[Event]:
    """
    The events a stream of ``answer`` would have told: for a client that asked for a
    stream and a provider that answered whole.
    """
    out: list[Event] = []
    if answer.usage is not None:
        out.append(events.UsageReport(answer.usage))
    out.append(events.Started(answer.id, answer.model, answer.created, answer.tier))
    for choice in answer.choices:
        if choice.logprobs is not None:  # before what they are of, as in a stream
            out.append(events.LogProbs(choice.index, choice.logprobs))
        for block, part in enumerate(choice.parts):
            out += _told(choice.index, block, part)
        out.append(
            events.Finished(choice.index, choice.finish, choice.native, choice.sequence)
        )
    out.append(events.Ended())
    return out


def _told(choice: int, block: int, part: Part) -> list[Event]:
    """A part as an opened block, what is in it, and its close."""
    opened, said = _block_of(choice, block, part)
    signature = part.signature if isinstance(part, Text | Thinking | ToolCall) else None
    if signature is not None:
        said.append(events.Signature(choice, block, signature))
    return [opened, *said, events.BlockClosed(choice, block)]


def _block_of(
    choice: int, block: int, part: Part
) -> tuple[events.BlockOpened, list[Event]]:
    opened = events.BlockOpened
    match part:
        case Text():
            said: list[Event] = [events.Text(choice, block, part.text)]
            said += [events.Citation(choice, block, one) for one in part.citations]
            return opened(choice, block, "text"), said
        case Thinking():
            said = [events.Thinking(choice, block, part.text)] if part.text else []
            return opened(choice, block, "thinking"), said
        case Redacted():
            said = [events.Redacted(choice, block, part.signature)]
            return opened(choice, block, "redacted"), said
        case Refusal():
            return (
                opened(choice, block, "refusal"),
                [events.Refusal(choice, block, part.text)],
            )
        case ToolCall():
            custom = part.kind == "custom"
            return (
                opened(choice, block, "tool", part.id, part.name, custom=custom),
                [events.Arguments(choice, block, part.arguments)],
            )
        case Media():
            kind: events.BlockKind = "audio" if part.kind == "audio" else "image"
            type = part.type or kind
            media = events.Media(
                choice, block, type, part.value, part.transcript, part.name
            )
            return opened(choice, block, kind, part.name), [media]
        case Opaque():
            return (
                opened(
                    choice,
                    block,
                    "opaque",
                    name=part.type,
                    dialect=part.dialect,
                    raw=part.raw,
                ),
                [],
            )
        case ToolResult():
            raise TypeError("an answer holds no tool results")
