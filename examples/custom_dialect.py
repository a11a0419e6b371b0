"""
A dialect of your own: the chat of Ollama's native API (``POST /api/chat``), text alone.
Its clients meet every provider then, and its servers every client, converted.

This file is a plugin as it stands. Installed as ``aigw/plugins/ollama_chat.py``
(without an ``__init__.py``) anywhere on Python's path, its makers are found when a
gateway starts. Streams are lines of JSON: ``custom_framing.py`` must be there too, as
``aigw/plugins/ndjson.py``. Servers are asked where routes say ``provider: ollama-chat``
with the server's address as ``override: {endpoint: …}``.

Run alone it shows a request and a stream, each in two dialects::

    $ python examples/custom_dialect.py
    {"model":"m","messages":[{"role":"user","content":"Hi"}],"max_completion_tokens":9}
    {"model":"m","message":{"role":"assistant","content":"Hel"},"done":false}
    {"model":"m","message":{"role":"assistant","content":"lo"},"done":false}
    {"model":"m","message":{"role":"assistant","content":""},"done":true,...}

The API: https://docs.ollama.com/api/chat
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from twisted.internet.interfaces import IReactorTime
from zope.interface import implementer

from aigw.dialects import failures, fields, openai_error
from aigw.dialects.collected import Collected
from aigw.dialects.json_object import JSONObject, graft, wrong
from aigw.dialects.ledger import Ledger
from aigw.errors import GatewayError
from aigw.interfaces import IChatDialect, IMaker, IProvider, IReader, ITap, IWriter
from aigw.model import event as events
from aigw.model import feature
from aigw.model import sight as sights
from aigw.model.answer import Answer, Choice
from aigw.model.call import Call, Message
from aigw.model.envelope import Envelope
from aigw.model.event import Event, Failed
from aigw.model.finish import Finish
from aigw.model.frame import SSEFrame
from aigw.model.headers import Headers
from aigw.model.part import Media, Refusal, Text, ToolCall, ToolResult
from aigw.model.rendered import Rendered, Target
from aigw.model.usage import Usage
from aigw.providers.openai import OpenAIStyle
from aigw.providers.presets import Preset

NAME = "ollama-chat"

#: Fields of a Call to those of ``options``.
OPTIONS = {
    "temperature": "temperature",
    "top_p": "top_p",
    "top_k": "top_k",
    "seed": "seed",
    "frequency_penalty": "frequency_penalty",
    "presence_penalty": "presence_penalty",
    "max_tokens": "num_predict",
}
#: What the answer would be wrong without, here and in other dialects.
NEEDED = ("tools", "format")
#: What only tunes it, and has no place here.
TUNING = (
    *("tool_choice", "parallel", "logit_bias", "reasoning"),
    *("user", "metadata", "service_tier", "cache"),
)
FINISHES = {"stop": Finish.STOP, "length": Finish.LENGTH}

encode = msgspec.json.encode


def line(told: Any) -> SSEFrame:
    """The frames of ``ndjson`` are those of SSE, with nothing but data."""
    return SSEFrame(data=encode(told))


def streams(envelope: Envelope) -> bool:
    """Unlike in most dialects, a stream comes unless it is not wanted."""
    raw = fields.raw(envelope, "stream")
    return raw is None or bytes(raw) != b"false"


def rendered(message: Message, ledger: Ledger) -> dict[str, Any]:
    texts = []
    for index, part in enumerate(message.parts):
        at = f"{message.at}[{index}]"
        match part:
            case Text() | Refusal():
                texts.append(part.text)
            case Media() | ToolCall() | ToolResult():
                ledger.refuse(at, "text alone is carried")
            case _:
                ledger.drop(at)
    role = "system" if message.role == "developer" else message.role
    made: dict[str, Any] = {"role": role, "content": "\n".join(texts)}
    graft(made, ledger.rider(message.at, message.rider))
    return made


# -- answers: a stream is chunks, the last of which is `done`; a whole answer is one


class Chunk:
    """
    What one tells, believed only as far as it has the right types: servers that imitate
    an API put anything anywhere.
    """

    def __init__(self, told: Mapping[str, Any]) -> None:
        message = told.get("message")
        self.message = message if isinstance(message, dict) else {}
        self.text = word(self.message.get("content"))
        self.model = word(told.get("model"))
        self.error = told.get("error")
        self.done = told.get("done") is True
        self.native = word(told.get("done_reason")) or "stop"
        self.finish = FINISHES.get(self.native, Finish.OTHER)
        asked, said = told.get("prompt_eval_count"), told.get("eval_count")
        self.usage: Usage | None = None
        if asked is not None or said is not None:
            self.usage = Usage(input=count(asked), output=count(said))


def word(value: Any) -> str:
    return value if isinstance(value, str) else ""


def count(value: Any) -> int:
    return value if type(value) is int and value > 0 else 0


@implementer(IReader)
class Reader:
    """Chunks become neutral events, each at once."""

    def __init__(self) -> None:
        self._begun = self._open = self._over = False

    def feed(self, frame: Any) -> list[Event]:
        if self._over or not frame.data:
            return []
        told = failures.decoded(frame.data)
        if told is None:
            self._over = True
            return [failures.failed(502, [], "a line of the provider's is no JSON")]
        return self._events(Chunk(told)) if isinstance(told, dict) else []

    def _events(self, chunk: Chunk) -> list[Event]:
        if chunk.error is not None:
            self._over = True
            return [failures.failed(502, [], chunk.error)]
        told: list[Event] = []
        if not self._begun:
            self._begun = True
            told.append(events.Started(model=chunk.model))
        if chunk.text:
            if not self._open:
                self._open = True
                told.append(events.BlockOpened(0, 0, "text"))
            told.append(events.Text(0, 0, chunk.text))
        if chunk.done:
            self._over = True
            if self._open:
                told.append(events.BlockClosed(0, 0))
            told.append(events.Finished(0, chunk.finish, chunk.native))
            if chunk.usage is not None:
                told.append(events.UsageReport(chunk.usage))
            told.append(events.Ended())
        return told

    def end(self) -> list[Event]:
        return []  # the finish is the last frame: without it the answer is broken

    def whole(self, body: bytes) -> Answer | Failed:
        told = failures.decoded(body)
        if not isinstance(told, dict) or "message" not in told:
            return self.problem(502, [], body)
        chunk = Chunk(told)
        parts = (Text(chunk.text),) if chunk.text else ()
        choice = Choice(0, parts, chunk.finish, chunk.native)
        return Answer(NAME, (choice,), model=chunk.model, usage=chunk.usage)

    def problem(self, status: int, headers: Headers, body: bytes) -> Failed:
        told = failures.decoded(body)
        message = told.get("error") if isinstance(told, dict) else None
        return failures.failed(status, headers, message)


@implementer(IWriter)
class Writer:
    """Neutral events become chunks. What has no place here (reasoning) is left out."""

    def __init__(self, call: Call, now: float) -> None:
        self._head: dict[str, Any] = {"model": call.model}
        if now:
            moment = datetime.fromtimestamp(now, UTC)
            self._head["created_at"] = moment.isoformat().replace("+00:00", "Z")
        self._finish = Finish.STOP
        self._usage: Usage | None = None
        self._over = False

    def feed(self, event: Event) -> list[Any]:
        if self._over:
            return []
        match event:
            case events.Started() if event.model:
                self._head["model"] = event.model
            case events.Text() | events.Refusal():
                return [line(self._chunk(event.text) | {"done": False})]
            case events.UsageReport():
                self._usage = event.usage
            case events.Finished():
                self._finish = event.reason
            case events.Ended():
                self._over = True
                return [line(self._last(""))]
            case Failed():
                self._over = True
                return [line({"error": event.message})]
        return []

    def end(self) -> list[Any]:
        return []  # nothing waits

    def whole(self, answer: Answer) -> bytes:
        if answer.model:
            self._head["model"] = answer.model
        self._usage = answer.usage
        choice = answer.choices[0]
        self._finish = choice.finish
        said = [part for part in choice.parts if isinstance(part, Text | Refusal)]
        return encode(self._last("".join(part.text for part in said)))

    def _chunk(self, text: str) -> dict[str, Any]:
        return {**self._head, "message": {"role": "assistant", "content": text}}

    def _last(self, text: str) -> dict[str, Any]:
        word = "length" if self._finish is Finish.LENGTH else "stop"
        last = self._chunk(text) | {"done": True, "done_reason": word}
        if self._usage is not None:
            last["prompt_eval_count"] = self._usage.prompt
            last["eval_count"] = self._usage.output
        return last


@implementer(ITap)
class Tap:
    """
    Looks into answers that pass unchanged.

    The spacing of ``"done": true`` is the server's: every frame in which ``true``
    stands is looked at, and every other one is left out once there was content.
    """

    marks: tuple[bytes, ...] = (b"true", b'"error"', b'"tool_calls"')

    def __init__(self, collect: bool) -> None:
        self.usage: Usage | None = None
        self.model = ""
        self.tool_calls = False
        self.finished = False
        self.error: Mapping[str, Any] | None = None
        self._text = Collected() if collect else None

    def feed(self, frame: Any) -> int:
        told = failures.decoded(frame.data or b"")
        if self.finished or not isinstance(told, dict):
            return sights.NOTHING
        chunk = Chunk(told)
        if chunk.error is not None:
            self.error = self.error or told
            return sights.ERROR
        self.model = self.model or chunk.model
        self.tool_calls = self.tool_calls or bool(chunk.message.get("tool_calls"))
        if self._text is not None:
            self._text.add(chunk.text)
        said = ("content", "thinking", "tool_calls")
        sight = sights.NOTHING
        if any(chunk.message.get(name) for name in said):
            sight = sights.CONTENT
        if chunk.done:
            self.usage, self.finished = chunk.usage, True
            sight |= sights.TERMINAL
        return sight

    def whole(self, body: bytes) -> None:
        self.feed(SSEFrame(data=body))

    def text(self) -> str:
        return "" if self._text is None else self._text.text()


@implementer(IChatDialect)
class OllamaChat:
    """One serves the process and keeps no state of an exchange."""

    name = NAME
    framing = "ndjson"
    terminal = True
    can = frozenset({feature.SEED, feature.PENALTIES, feature.TOP_K, feature.STOP})
    private_headers: tuple[bytes, ...] = ()

    def detect(self, envelope: Envelope) -> bool:
        return envelope.path.rstrip("/").endswith("/api/chat")

    def streams(self, envelope: Envelope) -> bool:
        return streams(envelope)

    def tap(self, collect: bool = False) -> ITap:
        return Tap(collect)

    def problem(
        self, error: GatewayError, request_id: str
    ) -> tuple[int, Headers, bytes]:
        status, headers = failures.usual(error.status), openai_error.json_headers(error)
        return status, headers, encode({"error": error.message})

    def broken(self, error: GatewayError, request_id: str) -> list[Any]:
        return [line({"error": error.message})]

    def prompt(self, envelope: Envelope) -> bytes | None:
        raw = fields.raw(envelope, "messages")
        return None if raw is None else bytes(raw)

    def tool_count(self, envelope: Envelope) -> int:
        return fields.length(envelope, "tools")

    def end_user(self, envelope: Envelope) -> str:
        return ""

    def parse(self, envelope: Envelope) -> Call:
        """What the gateway has no words for stays in riders, with its path."""
        body = JSONObject(envelope.fields or {}, "")
        body.raw("stream")  # `streams` tells
        needs = [
            name for name in NEEDED if body.look(name) not in (None, b"null", b"[]")
        ]
        messages = []
        for message in body.objects("messages"):
            role = message.string("role")
            if role not in ("system", "user", "assistant"):
                wrong(message.at("role"), "system, user or assistant")
            text = message.string("content")
            needs += [
                message.at(name)
                for name in ("images", "tool_calls")
                if message.look(name) not in (None, b"null", b"[]")
            ]
            parts = (Text(text),) if text else ()
            messages.append(Message(role, parts, rider=message.rest(), at=message.path))
        settings: dict[str, Any] = {}
        options = body.object("options")
        if options is not None:
            for ours, theirs in OPTIONS.items():
                whole = ours in ("top_k", "seed", "max_tokens")
                take = options.integer if whole else options.number
                settings[ours] = take(theirs)
            settings["stop"] = options.strings("stop")
        return Call(
            origin=NAME,
            model=body.string("model") or "",
            messages=tuple(messages),
            stream=streams(envelope),
            rider=body.rest(),
            needs=tuple(needs),
            **settings,
        )

    def render(self, call: Call, target: Target) -> Rendered:
        """The ledger refuses by name, and lists what is dropped."""
        ledger = Ledger(call, NAME)
        if call.tools:
            ledger.refuse("tools")
        if call.format is not None and call.format.kind != "text":
            ledger.refuse("format")
        if (call.n or 1) > 1:
            ledger.refuse("n")
        if call.logprobs is not None:
            ledger.refuse("logprobs")
        for name in TUNING:
            if getattr(call, name) not in (None, ""):
                ledger.drop(name)
        options = {
            theirs: getattr(call, ours)
            for ours, theirs in OPTIONS.items()
            if getattr(call, ours) is not None
        }
        if call.stop:
            options["stop"] = call.stop
        model = target.model or call.model
        body: dict[str, Any] = {
            "model": model,
            "messages": [rendered(message, ledger) for message in call.messages],
            "stream": call.stream,
        }
        if options:
            body["options"] = options
        if ledger.native:
            graft(body, call.rider)
        return Rendered(encode(body), model=model, dropped=ledger.dropped)

    def reader(self, rendered: Rendered) -> IReader:
        return Reader()

    def writer(self, call: Call, now: float, request_id: str) -> IWriter:
        return Writer(call, now)


@implementer(IMaker)
class DialectMaker:
    """Makes the dialect. Found at import, so it does nothing until it is asked."""

    name = NAME
    makes = IChatDialect

    def make(self, settings: Mapping[str, Any], clock: IReactorTime) -> OllamaChat:
        return OllamaChat()


@implementer(IMaker)
class ProviderMaker:
    """Makes the provider that is asked in it."""

    name = NAME
    makes = IProvider

    def make(self, settings: Mapping[str, Any], clock: IReactorTime) -> OpenAIStyle:
        paths, caps = {NAME: "/api/chat"}, {NAME: "options.num_predict"}
        return OpenAIStyle(Preset(NAME, None, paths, caps))


ollama_chat = DialectMaker()
ollama_provider = ProviderMaker()


def main() -> None:
    """A client's request to OpenAI, and the answer on its way back."""
    from aigw.dialects import get

    ours, theirs = OllamaChat(), IChatDialect(get("openai-chat"))
    envelope = Envelope("POST", "/api/chat", b"/api/chat", b"", [])
    envelope.open(
        b'{"model": "m", "messages": [{"role": "user", "content": "Hi"}],'
        b' "options": {"num_predict": 9}, "stream": false}'
    )
    call = ours.parse(envelope)
    asked = theirs.render(call, Target())
    print(asked.body.decode())
    reader, writer = theirs.reader(asked), ours.writer(call, 0, "")
    for data in (
        b'{"choices": [{"index": 0, "delta": {"content": "Hel"}}]}',
        b'{"choices": [{"index": 0, "delta": {"content": "lo"}}]}',
        b'{"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}',
        b"[DONE]",
    ):
        for event in reader.feed(SSEFrame(data=data)):
            for frame in writer.feed(event):
                print(frame.data.decode())


if __name__ == "__main__":
    main()
