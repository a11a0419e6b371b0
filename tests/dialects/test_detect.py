from __future__ import annotations

import pytest
from zope.interface.verify import verifyObject

from aigw import dialects
from aigw.dialects import Dialects
from aigw.dialects.openai_chat import OpenAIChat
from aigw.errors import BadRequest, ConfigError
from aigw.interfaces import IDialect
from aigw.model.envelope import Envelope

from .requests import request

CHAT = b'{"model":"m","messages":[]}'
INPUT = b'{"model":"m","input":"x"}'


@pytest.mark.parametrize(
    ("path", "body", "name"),
    [
        ("/v1/chat/completions", CHAT, "openai-chat"),
        ("/v1/chat/completions/", CHAT, "openai-chat"),
        ("/anything", CHAT, "openai-chat"),
        ("/anything", b'{"messages" :  {"role":"user"}}', "openai-chat"),
        ("/v1/embeddings", INPUT, "openai-embeddings"),
        ("/anything", INPUT, "openai-embeddings"),
        ("/v1/chat/completions", b'{"messages":"text"}', "passthrough"),
        ("/v1/completions", b'{"prompt":"x"}', "passthrough"),
        ("/v1/moderations", INPUT, "passthrough"),
        ("/v1/audio/speech", INPUT, "passthrough"),
        ("/v1/messages/count_tokens", CHAT, "passthrough"),
        ("/v1/messages/count_tokens/", CHAT, "passthrough"),
        ("/model/m/invoke", CHAT, "bedrock-invoke"),
        ("/model/a/b/invoke-with-response-stream/", CHAT, "bedrock-invoke"),
        ("/model/m/invoke", None, "passthrough"),
        ("/publishers/anthropic/models/c:rawPredict", CHAT, "vertex-raw-predict"),
        ("/publishers/anthropic/models/c:streamRawPredict", CHAT, "vertex-raw-predict"),
        ("/publishers/anthropic/models/count-tokens:rawPredict", CHAT, "passthrough"),
        ("/publishers/mistralai/models/m:rawPredict", CHAT, "passthrough"),
        ("/model/m/count-tokens", b'{"input":{"converse":{}}}', "passthrough"),
        ("/v1/responses/resp_1/cancel", INPUT, "passthrough"),
        ("/v1beta/models/m:countTokens", CHAT, "passthrough"),
        ("/v1/models", None, "passthrough"),
    ],
)
def test_dialect_is_found_by_path_and_body(
    path: str, body: bytes | None, name: str
) -> None:
    assert dialects.detect(request(path, body)).name == name


def test_empty_object_is_refused_as_no_dialect() -> None:
    with pytest.raises(BadRequest, match="no matching AI protocol"):
        dialects.detect(request("/v1/chat/completions", b"{}"))


@pytest.mark.parametrize("name", ["openai-chat", "openai-embeddings", "passthrough"])
def test_every_dialect_is_had_by_name_and_keeps_its_interface(name: str) -> None:
    dialect = dialects.get(name)
    assert dialect.name == name
    assert verifyObject(IDialect, dialect)


def test_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"'chat'.*openai-chat"):
        dialects.get("chat")


class Acme(OpenAIChat):
    """A third party's dialect, which knows its requests by their path."""

    name = "acme-talk"

    def detect(self, envelope: Envelope) -> bool:
        return envelope.path.rstrip("/").endswith((":talk", "/talk"))


class Greedy(Acme):
    """One that takes all it is asked about."""

    name = "greedy"

    def detect(self, envelope: Envelope) -> bool:
        return True


def test_third_partys_dialect_is_known_by_its_path_before_bodies_are_guessed_by() -> (
    None
):
    ours = Dialects([Acme()])
    assert ours.detect(request("/acme/talk/", CHAT)).name == "acme-talk"
    assert ours.detect(request("/v1/models/m:talk", CHAT)).name == "acme-talk"
    assert ours.detect(request("/acme/other", CHAT)).name == "openai-chat"
    assert ours.get("acme-talk").name == "acme-talk"
    assert ours.known() == dialects.known() | {"acme-talk"}
    assert dialects.detect(request("/acme/talk", CHAT)).name == "openai-chat"


@pytest.mark.parametrize(
    ("path", "body", "name"),
    [
        ("/v1/chat/completions/", CHAT, "openai-chat"),
        ("/v1/embeddings", INPUT, "openai-embeddings"),
        ("/v1/completions", b'{"prompt":"x"}', "passthrough"),
        ("/v1/messages", CHAT, "anthropic-messages"),
        ("/v1/responses", INPUT, "openai-responses"),
        ("/model/m/converse", CHAT, "bedrock-converse"),
        ("/model/m/invoke", CHAT, "bedrock-invoke"),
        ("/v1beta/models/m:generateContent", CHAT, "gemini"),
        ("/anything", None, "passthrough"),
    ],
)
def test_no_third_party_takes_what_a_built_in_dialect_knows(
    path: str, body: bytes | None, name: str
) -> None:
    assert Dialects([Greedy()]).detect(request(path, body)).name == name


def test_third_parties_are_asked_in_their_order() -> None:
    ours = Dialects([Acme(), Greedy()])
    assert ours.detect(request("/acme/talk", CHAT)).name == "acme-talk"
    assert ours.detect(request("/v1/moderations", INPUT)).name == "greedy"


def test_two_dialects_of_one_name_are_refused() -> None:
    with pytest.raises(ConfigError, match="two dialects are called 'acme-talk'"):
        Dialects([Acme(), Acme()])
