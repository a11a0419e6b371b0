"""Writes answers as chat completions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import msgspec
from zope.interface import implementer

from aigw.dialects import failures, openai_error, openai_usage
from aigw.dialects.held import Held
from aigw.dialects.openai_request import TIERS
from aigw.interfaces import IWriter
from aigw.model import event as events
from aigw.model.answer import Answer
from aigw.model.call import Call
from aigw.model.event import Event
from aigw.model.frame import SSEFrame
from aigw.model.usage import Usage

from .choice import KEPT, Choice
from .citation import annotation_of
from .details import encrypted, reasoned
from .images import image
from .words import finish_word
from .writer_whole import body_of

_encode = msgspec.json.encode


@implementer(IWriter)
class OpenAIChatWriter:
    """
    See :class:`aigw.interfaces.IWriter`. Nothing waits but the usage chunk,
    and an image for its end.

    A chunk is put together from bytes that do not change and the one value that does:
    it is written for every token.
    """

    def __init__(self, call: Call, now: float, request_id: str) -> None:
        self._call = call
        self._id = f"chatcmpl-{request_id}"
        self._created = int(now)
        self._usage: Usage | None = None
        self._choices: dict[int, Choice] = {}
        self._held = Held()
        self._images: dict[tuple[int, int], list[str]] = {}
        self._over = False
        self._head = b""
        self._tail = b',"usage":null}' if call.include_usage else b"}"
        self._set_head("", call.model, 0, "")

    def feed(self, event: Event) -> list[Any]:
        if self._over:
            return []
        write = self._WRITE.get(type(event))
        return [] if write is None else write(self, event)

    def end(self) -> list[Any]:
        return []

    def whole(self, answer: Answer) -> bytes:
        return body_of(answer, self._call, self._created, self._id)

    # -- frames

    def _set_head(self, id: str, model: str, created: int, tier: str) -> None:
        head: dict[str, Any] = {
            "id": id or self._id,
            "object": "chat.completion.chunk",
            "created": created or self._created,
            "model": model,
        }
        if tier in TIERS:
            head["service_tier"] = tier
        self._head = _encode(head)[:-1] + b',"choices":['

    def _chunk(self, choice: int, delta: bytes, finish: bytes = b"null") -> list[Any]:
        data = b'%s{"index":%d,"delta":%s,"logprobs":null,"finish_reason":%s}]%s' % (
            self._head,
            choice,
            delta,
            finish,
            self._tail,
        )
        known = self._choices.get(choice)
        if known is None:
            return [*self._begin(choice), SSEFrame(data=data)]
        return [SSEFrame(data=data)]

    def _begin(self, choice: int) -> list[Any]:
        """Each choice begins with its role."""
        self._choices[choice] = Choice()
        return self._chunk(choice, b'{"role":"assistant","content":"","refusal":null}')

    def _choice(self, choice: int) -> tuple[Choice, list[Any]]:
        begun = [] if choice in self._choices else self._begin(choice)
        return self._choices[choice], begun

    # -- events

    def _started(self, event: events.Started) -> list[Any]:
        model = event.model or self._call.model
        self._set_head(event.id, model, event.created, event.tier)
        return [] if 0 in self._choices else self._begin(0)

    def _opened(self, event: events.BlockOpened) -> list[Any]:
        if event.kind == "thinking":
            state, begun = self._choice(event.choice)
            state.thinking = event.block
            state.thoughts.clear()
            state.size = 0
            return begun
        if event.kind != "tool":
            return []
        state, begun = self._choice(event.choice)
        place = state.calls[event.block] = len(state.calls)
        state.ids[event.block] = event.id
        if event.custom:
            state.custom.add(event.block)
            kind, key = "custom", "input"
        else:
            kind, key = "function", "arguments"
        call = {
            "index": place,
            "id": event.id,
            "type": kind,
            kind: {"name": event.name, key: ""},
        }
        delta = _encode({"tool_calls": [call]})
        return [*begun, *self._chunk(event.choice, delta)]

    def _text(self, event: events.Text) -> list[Any]:
        return self._chunk(event.choice, b'{"content":%s}' % _encode(event.text))

    def _thinking(self, event: events.Thinking) -> list[Any]:
        state, begun = self._choice(event.choice)
        state.size += len(event.text)
        if state.size <= KEPT:
            state.thoughts.append(event.text)
        delta = b'{"reasoning_content":%s}' % _encode(event.text)
        return [*begun, *self._chunk(event.choice, delta)]

    def _refusal(self, event: events.Refusal) -> list[Any]:
        return self._chunk(event.choice, b'{"refusal":%s}' % _encode(event.text))

    def _arguments(self, event: events.Arguments) -> list[Any]:
        state = self._choices.get(event.choice)
        place = None if state is None else state.calls.get(event.block)
        if state is None or place is None:
            return []  # the arguments of a block that this dialect has no word for
        if event.block in state.custom:
            form = b'{"tool_calls":[{"index":%d,"custom":{"input":%s}}]}'
        else:
            form = b'{"tool_calls":[{"index":%d,"function":{"arguments":%s}}]}'
        return self._chunk(event.choice, form % (place, _encode(event.json)))

    def _signature(self, event: events.Signature) -> list[Any]:
        state, begun = self._choice(event.choice)
        signature = event.signature
        if event.block != state.thinking:
            entry = encrypted(signature)  # of a call, or of text
            if event.block in state.ids:
                entry["id"] = state.ids[event.block]
        else:
            if state.size > KEPT:
                return begun  # without its text a signature would be refused
            entry = reasoned("".join(state.thoughts), signature)
        return [*begun, *self._detail(event.choice, state, entry)]

    def _redacted(self, event: events.Redacted) -> list[Any]:
        state, begun = self._choice(event.choice)
        return [*begun, *self._detail(event.choice, state, encrypted(event.signature))]

    def _detail(self, choice: int, state: Choice, entry: dict[str, Any]) -> list[Any]:
        entry["index"] = state.details
        state.details += 1
        return self._chunk(choice, _encode({"reasoning_details": [entry]}))

    def _media(self, event: events.Media) -> list[Any]:
        kind = event.type.partition("/")[0]
        if kind == "image":
            return self._image(event)
        if kind != "audio":
            return []
        told = {
            "id": event.id,
            "data": event.data,
            "transcript": event.transcript,
        }
        audio = {name: value for name, value in told.items() if value}
        return self._chunk(event.choice, _encode({"audio": audio}))

    def _image(self, event: events.Media) -> list[Any]:
        """An image is written whole, when its block closes."""
        held = self._images.setdefault((event.choice, event.block), [event.type])
        self._held.add(event.data, held)
        return []

    def _closed(self, event: events.BlockClosed) -> list[Any]:
        held = self._images.pop((event.choice, event.block), None)
        if held is None:
            return []
        state, begun = self._choice(event.choice)
        one = {**image(held[0], "".join(held[1:])), "index": state.images}
        state.images += 1
        return [*begun, *self._chunk(event.choice, _encode({"images": [one]}))]

    def _citation(self, event: events.Citation) -> list[Any]:
        annotation = annotation_of(event.citation)
        if annotation is None:
            return []
        return self._chunk(event.choice, _encode({"annotations": [annotation]}))

    def _logprobs(self, event: events.LogProbs) -> list[Any]:
        _, begun = self._choice(event.choice)
        data = b'%s{"index":%d,"delta":{},"logprobs":%s,"finish_reason":null}]%s' % (
            self._head,
            event.choice,
            event.raw,
            self._tail,
        )
        return [*begun, SSEFrame(data=data)]

    def _used(self, event: events.UsageReport) -> list[Any]:
        self._usage = event.usage
        return []

    def _finished(self, event: events.Finished) -> list[Any]:
        word = finish_word(event.reason, event.native)
        return self._chunk(event.choice, b"{}", _encode(word))

    def _ended(self, event: events.Ended) -> list[Any]:
        self._over = True
        done = SSEFrame(data=b"[DONE]")
        if not self._call.include_usage or self._usage is None:
            return [done]
        usage = _encode(openai_usage.written(self._usage))
        return [SSEFrame(data=b'%s],"usage":%s}' % (self._head, usage)), done]

    def _failed(self, event: events.Failed) -> list[Any]:
        self._over = True
        return openai_error.broken(failures.error_of(event))

    _WRITE: ClassVar[dict[type[Event], Callable[[Any, Any], list[Any]]]] = {
        events.Started: _started,
        events.BlockOpened: _opened,
        events.Text: _text,
        events.Thinking: _thinking,
        events.Refusal: _refusal,
        events.Arguments: _arguments,
        events.Signature: _signature,
        events.Redacted: _redacted,
        events.Media: _media,
        events.BlockClosed: _closed,
        events.Citation: _citation,
        events.LogProbs: _logprobs,
        events.UsageReport: _used,
        events.Finished: _finished,
        events.Ended: _ended,
        events.Failed: _failed,
    }
