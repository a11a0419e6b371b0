"""A third party's dialect is spoken by clients and providers like any other."""

from __future__ import annotations

from typing import Any

import msgspec

from aigw.dialects.anthropic_messages import AnthropicMessages
from aigw.model.envelope import Envelope
from aigw.model.instance import Endpoint, Instance
from aigw.model.outcome import Outcome
from aigw.model.route import Route
from aigw.providers.openai import OpenAIStyle
from aigw.providers.presets import Preset

from .site import JSON, Site
from .test_conversion import ANSWER, ASKED


class Acme(AnthropicMessages):
    """Messages, as a vendor that tells them apart by a path of its own."""

    name = "acme-talk"

    def detect(self, envelope: Envelope) -> bool:
        return envelope.path.endswith("/talk")


SPEAKS_IT = OpenAIStyle(
    Preset(name="acme", host="api.acme.test", paths={"acme-talk": "/talk"}, caps={})
)


def test_client_of_a_third_partys_dialect_is_told_in_its_words() -> None:
    here = Site(dialects=[Acme()])
    client = here.ask(ASKED, target=b"/v1/talk")
    assert here.call.outbound.target == b"/v1/chat/completions"
    here.call.answer(200, JSON, ANSWER)
    told: Any = msgspec.json.decode(client.written)
    assert told["content"] == [{"type": "text", "text": "hello"}]
    record = here.record
    assert (record.outcome, record.dialect) == (Outcome.COMPLETED, "acme-talk")


def test_provider_of_a_third_partys_dialect_is_asked_in_it() -> None:
    endpoint = Endpoint("http", "provider.test", 80)
    route = Route("chat", ("/v1/*",), (Instance("one", "acme", endpoint=endpoint),))
    here = Site(route, dialects=[Acme()], providers=[SPEAKS_IT])
    client = here.ask(target=b"/v1/chat/completions")
    sent: Any = msgspec.json.decode(here.call.outbound.body)
    assert here.call.outbound.target == b"/talk"
    assert sent["max_tokens"] == 8192
    message = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "acme-1",
        "content": [{"type": "text", "text": "hello"}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 3, "output_tokens": 1},
    }
    here.call.answer(200, JSON, msgspec.json.encode(message))
    told: Any = msgspec.json.decode(client.written)
    assert told["choices"][0]["message"]["content"] == "hello"


def test_without_it_the_same_request_is_of_the_dialect_its_body_says() -> None:
    here = Site()
    here.ask(ASKED, target=b"/v1/talk")
    here.call.answer(200, JSON, ANSWER)
    assert here.record.dialect == "openai-chat"
