"""The built-in providers keep their promises, and broken ones are found out."""

from __future__ import annotations

import pytest

from aigw.model.envelope import Envelope
from aigw.model.headers import Headers
from aigw.model.instance import Endpoint, Instance
from aigw.model.outbound import Outbound
from aigw.model.outcome import Judgement, Verdict
from aigw.providers import built_in
from aigw.providers.openai import OpenAIStyle
from aigw.providers.presets import PRESETS
from aigw.testing.provider import check_provider


@pytest.mark.parametrize("name", sorted(built_in()))
def test_a_built_in_provider_keeps_the_promises(name: str) -> None:
    check_provider(
        built_in()[name],
        [
            Instance(
                "busy",
                name,
                endpoint=Endpoint("https", "h", 443, path="/p", query="a=b"),
                options={"model": "n", "stream": True},
                max_tokens=7,
                request_body={"openai-chat": {"stream_options": {"a": 1}}},
            )
        ],
        bodies=[
            b'{"model": "m", "messages": [], "stream": true, "max_tokens": 3}',
            '{"input": "ä", "model": "m"}'.encode(),
        ],
    )


class Whole(OpenAIStyle):
    """Breaks nothing; what is below breaks one promise each."""

    def __init__(self) -> None:
        super().__init__(PRESETS[0])


class ChangesTheRequest(Whole):
    def prepare(self, envelope: Envelope, dialect: str, instance: Instance) -> Outbound:
        envelope.headers.clear()
        return super().prepare(envelope, dialect, instance)


class SharesItsHeaders(Whole):
    def prepare(self, envelope: Envelope, dialect: str, instance: Instance) -> Outbound:
        outbound = super().prepare(envelope, dialect, instance)
        outbound.headers = instance.auth_headers
        return outbound


class ForgetsTheCredential(Whole):
    def prepare(self, envelope: Envelope, dialect: str, instance: Instance) -> Outbound:
        outbound = super().prepare(envelope, dialect, instance)
        outbound.headers = [(b"content-type", b"application/json")]
        return outbound


class WritesLength(Whole):
    def prepare(self, envelope: Envelope, dialect: str, instance: Instance) -> Outbound:
        outbound = super().prepare(envelope, dialect, instance)
        outbound.headers.append((b"content-length", b"1"))
        return outbound


class PutsSpacesIntoTargets(Whole):
    def prepare(self, envelope: Envelope, dialect: str, instance: Instance) -> Outbound:
        outbound = super().prepare(envelope, dialect, instance)
        outbound.target = b"/v1/a model"
        return outbound


class GoesToAnotherHost(Whole):
    def prepare(self, envelope: Envelope, dialect: str, instance: Instance) -> Outbound:
        bare = Instance("bare", instance.provider, auth_headers=instance.auth_headers)
        return super().prepare(envelope, dialect, bare)


class ReadsBodiesThatAreNone(Whole):
    def judge(self, status: int, headers: Headers, body: bytes | None) -> Judgement:
        assert body is not None
        return super().judge(status, headers, body)


class TakesErrorsForSuccess(Whole):
    def judge(self, status: int, headers: Headers, body: bytes | None) -> Judgement:
        return Judgement(Verdict.OK)


def test_what_breaks_nothing_passes() -> None:
    check_provider(Whole())


@pytest.mark.parametrize(
    "broken",
    [
        ChangesTheRequest,
        SharesItsHeaders,
        ForgetsTheCredential,
        WritesLength,
        PutsSpacesIntoTargets,
        GoesToAnotherHost,
        ReadsBodiesThatAreNone,
        TakesErrorsForSuccess,
    ],
)
def test_a_broken_promise_is_found(broken: type[Whole]) -> None:
    with pytest.raises(AssertionError):
        check_provider(broken())
