"""Each promise of a dialect that is broken is found out, and named."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aigw.dialects.openai_chat.dialect import OpenAIChat
from aigw.dialects.openai_chat.reader import OpenAIChatReader
from aigw.dialects.openai_chat.tap import OpenAIChatTap
from aigw.dialects.openai_chat.writer import OpenAIChatWriter
from aigw.errors import GatewayError
from aigw.interfaces import IReader, ITap, IWriter
from aigw.model import event as events
from aigw.model import sight as sights
from aigw.model.answer import Answer
from aigw.model.call import Call
from aigw.model.envelope import Envelope
from aigw.model.event import Event, Failed
from aigw.model.frame import SSEFrame
from aigw.model.headers import Headers
from aigw.model.rendered import Rendered, Target
from aigw.testing.chat import check_chat

from .samples import answers, requests, streams

DONE = SSEFrame(data=b"[DONE]")


def check(dialect: OpenAIChat) -> None:
    name = dialect.name
    check_chat(dialect, requests(name), streams=streams(name), answers=answers(name))


# -- requests and errors


class DetectsNothing(OpenAIChat):
    def detect(self, envelope: Envelope) -> bool:
        return False


class ChangesTheRequest(OpenAIChat):
    def streams(self, envelope: Envelope) -> bool:
        envelope.headers.append((b"x-seen", b"1"))
        return envelope.stream


class TakesTypesForGranted(OpenAIChat):
    def end_user(self, envelope: Envelope) -> str:
        assert envelope.fields is not None
        user: str = json.loads(bytes(envelope.fields.get("user", b'""')))
        return user.strip()


class TellsTheDetail(OpenAIChat):
    def problem(
        self, error: GatewayError, request_id: str
    ) -> tuple[int, Headers, bytes]:
        status, headers, _ = super().problem(error, request_id)
        body = {"error": error.message, "why": error.detail}
        return status, headers, json.dumps(body).encode()


class FormatsItsErrors(OpenAIChat):
    def problem(
        self, error: GatewayError, request_id: str
    ) -> tuple[int, Headers, bytes]:
        status, headers, _ = super().problem(error, request_id)
        return status, headers, f'{{"error": "{error.message}"}}'.encode()


class ForgetsTheWait(OpenAIChat):
    def problem(
        self, error: GatewayError, request_id: str
    ) -> tuple[int, Headers, bytes]:
        status, headers, body = super().problem(error, request_id)
        return status, headers[:1], body


class EndsABrokenStream(OpenAIChat):
    def broken(self, error: GatewayError, request_id: str) -> list[Any]:
        return [*super().broken(error, request_id), DONE]


class TellsErrorsAsText(OpenAIChat):
    def broken(self, error: GatewayError, request_id: str) -> list[Any]:
        text = json.dumps({"choices": [{"delta": {"content": error.message}}]})
        return [SSEFrame(data=text.encode())]


# -- the tap


class Tapped(OpenAIChat):
    """Its taps are of another kind."""

    kind: type[OpenAIChatTap]

    def tap(self, collect: bool = False) -> ITap:
        return self.kind(collect)


class RaisesAtOddFrames(Tapped):
    class kind(OpenAIChatTap):
        def feed(self, frame: SSEFrame) -> int:
            if frame.data and frame.data != DONE.data:
                json.loads(frame.data)
            return super().feed(frame)


class RaisesAtOddAnswers(Tapped):
    class kind(OpenAIChatTap):
        def whole(self, body: bytes) -> None:
            json.loads(body)
            super().whole(body)


class BelievesAnyModel(Tapped):
    class kind(OpenAIChatTap):
        def whole(self, body: bytes) -> None:
            super().whole(body)
            if body.startswith(b'{"') and body.endswith(b"}"):
                self.model = json.loads(body).get("model") or ""


class LooksForTooLittle(Tapped):
    class kind(OpenAIChatTap):
        def feed(self, frame: SSEFrame) -> int:
            seen = super().feed(frame)
            self.marks = (b"[DONE]", b"error")
            return seen


class SeesContentBehindTheEnd(Tapped):
    class kind(OpenAIChatTap):
        over = False

        def feed(self, frame: SSEFrame) -> int:
            seen = super().feed(frame)
            if seen & sights.USAGE_ONLY:
                return seen | sights.TERMINAL
            return seen | sights.CONTENT if seen & sights.TERMINAL else seen


class CollectsUnasked(Tapped):
    class kind(OpenAIChatTap):
        def __init__(self, collect: bool = False) -> None:
            super().__init__(True)


class SharesItsTap(Tapped):
    shared = OpenAIChatTap()

    def tap(self, collect: bool = False) -> ITap:
        return self.shared


class TakesWhatIsLeftOutForNothing(Tapped):
    """Says that it has finished once it saw enough frames, which depends on reads."""

    class kind(OpenAIChatTap):
        fed = 0

        def feed(self, frame: SSEFrame) -> int:
            seen = super().feed(frame)
            self.fed += 1
            self.model = f"after {self.fed}"
            return seen


# -- conversion


class ParsesCarelessly(OpenAIChat):
    def parse(self, envelope: Envelope) -> Call:
        for message in json.loads(envelope.body)["messages"]:
            message["role"].lower()
        return super().parse(envelope)


class LosesAMessage(OpenAIChat):
    def render(self, call: Call, target: Target) -> Rendered:
        rendered = super().render(call, target)
        body = json.loads(rendered.body)
        body["messages"] = body["messages"][:1]
        return Rendered(json.dumps(body).encode())


class TellsMoreBehindTheEnd(OpenAIChat):
    class kind(OpenAIChatReader):
        def end(self) -> list[Event]:
            return [*super().end(), events.Ping()]

    def reader(self, rendered: Rendered) -> IReader:
        return self.kind(rendered)


class RaisesAtWhatItReads(OpenAIChat):
    class kind(OpenAIChatReader):
        def feed(self, frame: SSEFrame) -> list[Event]:
            if frame.data and frame.data.startswith(b"{"):
                json.loads(frame.data)
            return super().feed(frame)

    def reader(self, rendered: Rendered) -> IReader:
        return self.kind(rendered)


class TakesErrorsForAnswers(OpenAIChat):
    class kind(OpenAIChatReader):
        def whole(self, body: bytes) -> Answer | Failed:
            return super().whole(body) if body else None  # type: ignore[return-value]

    def reader(self, rendered: Rendered) -> IReader:
        return self.kind(rendered)


class EndsWhatBrokeOff(OpenAIChat):
    class kind(OpenAIChatWriter):
        def end(self) -> list[Any]:
            return super().end() or [DONE]

    def writer(self, call: Call, now: float, request_id: str) -> IWriter:
        return self.kind(call, now, request_id)


class EndsWhatFailed(OpenAIChat):
    class kind(OpenAIChatWriter):
        def feed(self, event: Event) -> list[Any]:
            frames = super().feed(event)
            return [*frames, DONE] if isinstance(event, Failed) else frames

    def writer(self, call: Call, now: float, request_id: str) -> IWriter:
        return self.kind(call, now, request_id)


class LosesText(OpenAIChat):
    class kind(OpenAIChatWriter):
        lost = False

        def feed(self, event: Event) -> list[Any]:
            if isinstance(event, events.Text) and not self.lost:
                self.lost = True
                return []
            return super().feed(event)

    def writer(self, call: Call, now: float, request_id: str) -> IWriter:
        return self.kind(call, now, request_id)


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        (DetectsNothing, "not taken for its own"),
        (ChangesTheRequest, "the request was changed"),
        (TakesTypesForGranted, "was raised at"),
        (TellsTheDetail, "only the log may hold"),
        (FormatsItsErrors, "is no JSON"),
        (ForgetsTheWait, "the wait is not told"),
        (EndsABrokenStream, "look like a proper end"),
        (TellsErrorsAsText, "not read as an error"),
        (RaisesAtOddFrames, "Error.* at SSEFrame"),
        (RaisesAtOddAnswers, "JSONDecodeError.* at the answer"),
        (BelievesAnyModel, "the model is"),
        (LooksForTooLittle, "no mark stands in|without marks tell something"),
        (SeesContentBehindTheEnd, "content behind the end"),
        (TakesWhatIsLeftOutForNothing, "without marks tell something"),
        (CollectsUnasked, "nobody asked for the text"),
        (SharesItsTap, "a fresh tap tells"),
        (ParsesCarelessly, "Error.* at the request"),
        (LosesAMessage, "messages were changed"),
        (TellsMoreBehindTheEnd, r"end\(\) told"),
        (RaisesAtWhatItReads, "Error.* at SSEFrame"),
        (TakesErrorsForAnswers, "None from"),
        (EndsWhatBrokeOff, "it is ended by|looks complete|terminal frames"),
        (EndsWhatFailed, "it looks complete"),
        (LosesText, "the text is another"),
    ],
)
def test_a_broken_dialect_is_found_out(kind: type[OpenAIChat], why: str) -> None:
    with pytest.raises(AssertionError, match=why):
        check(kind())
