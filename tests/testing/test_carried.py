"""A dialect that loses what it carries is found out."""

from __future__ import annotations

import pytest

from aigw import dialects
from aigw.dialects.bedrock_invoke import BedrockInvoke
from aigw.framing import get
from aigw.interfaces import IChatDialect
from aigw.model.envelope import Envelope
from aigw.model.frame import EventStreamFrame, SSEFrame
from aigw.model.usage import Usage
from aigw.testing.carried import check_carried

from .samples import requests, streams

FRAMES = get("aws-eventstream").decode_buf(streams("bedrock-invoke")[0])[0]


class Whole(BedrockInvoke):
    def __init__(self) -> None:
        super().__init__(
            IChatDialect(dialects.get("anthropic-messages")),
            IChatDialect(dialects.get("bedrock-converse")),
        )


class LosesFields(Whole):
    def closed(self, envelope: Envelope) -> Envelope:
        closed = super().closed(envelope)
        closed.open(b'{"anthropic_version":"v"}')
        return closed


class ChangesTheRequest(Whole):
    def opened(self, envelope: Envelope) -> Envelope:
        opened = super().opened(envelope)
        envelope.headers.append((b"x", b"y"))
        return opened


class ForgetsTheModel(Whole):
    def opened(self, envelope: Envelope) -> Envelope:
        opened = super().opened(envelope)
        opened.model = ""
        return opened


class WrapsAnother(Whole):
    def wrap(self, frame: SSEFrame, usage: Usage | None) -> EventStreamFrame | None:
        return super().wrap(SSEFrame(frame.type, b'{"type":"x"}'), usage)


def test_what_loses_nothing_passes() -> None:
    check_carried(Whole(), requests("bedrock-invoke"), FRAMES)


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        (LosesFields, "comes out as"),
        (ChangesTheRequest, "changed by opened"),
        (ForgetsTheModel, "the model is ''"),
        (WrapsAnother, "is wrapped as"),
    ],
)
def test_what_loses_something_is_found_out(broken: type[Whole], why: str) -> None:
    with pytest.raises(AssertionError, match=why):
        check_carried(broken(), requests("bedrock-invoke"), FRAMES)
