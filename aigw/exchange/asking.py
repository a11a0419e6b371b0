"""Asking an instance: the request made, signed and sent; and what a bad answer says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from twisted.internet.defer import Deferred

from aigw.dialects import Dialects
from aigw.errors import AnsweredError, BadRequest
from aigw.http.headers import advice
from aigw.interfaces import IProvider, IUpstream, IWheel
from aigw.model.call import Call
from aigw.model.headers import Headers
from aigw.model.instance import Instance
from aigw.model.outcome import Judgement
from aigw.signing.signing import Signing

from .answer import Answers
from .attempt import Attempt
from .error_body import ErrorBody, text_of
from .exchange import Exchange
from .lane import Lane
from .sending import Sending

T = TypeVar("T")


class Asking:
    """Begins attempts; one for the process."""

    def __init__(
        self,
        upstream: IUpstream,
        wheel: IWheel,
        answers: Answers,
        providers: Mapping[str, IProvider],
        signing: Signing,
        dialects: Dialects,
    ) -> None:
        self._upstream = upstream
        self._wheel = wheel
        self._answers = answers
        self._providers = providers
        self._signing = signing
        self._sending = Sending(providers, dialects)

    def can(self, exchange: Exchange, instance: Instance) -> bool:
        """Whether the instance can be asked, in the client's dialect or another."""
        return self._sending.can(exchange, instance)

    async def send(
        self,
        exchange: Exchange,
        instance: Instance,
        node: str | None = None,
        lane: Lane | None = None,
        call: Call | None = None,
    ) -> Attempt:
        """
        Begin an attempt.

        :param node: the address to connect to; None leaves it to the resolver.
        :param lane: where it runs beside others, its own way to the client.
        :param call: what to ask instead of what the client asked.
        :raises GatewayError: it cannot be made, signed or sent.
        """
        upload = exchange.upload
        if upload is not None and "aws" in instance.auth:
            # A signature holds the body's hash, and so comes before its first byte.
            raise BadRequest("a body that is no JSON cannot be signed for AWS")
        outbound, conversion = self._sending.prepare(exchange, instance, call)
        if node is not None and node != outbound.origin.host:
            outbound.origin = replace(outbound.origin, address=node)
        if instance.auth:
            signed = Deferred.fromCoroutine(self._signing.sign(outbound, instance))
            outbound = await _settled(exchange, signed, lane)
        total = instance.deadlines.total if lane is None else exchange.most
        framing = self._answers.framing(exchange.dialect.framing)
        exchange.send(outbound, instance, framing, total)
        attempt = Attempt(
            self._upstream, outbound, instance, self._wheel, conversion, upload
        )
        exchange.begin(attempt)
        if lane is None:
            exchange.attempt = attempt
        else:
            lane.attempt = attempt
        return attempt

    def judge(
        self, instance: Instance, status: int, headers: Headers, body: bytes | None
    ) -> Judgement:
        """What an answer says of the instance; ``body`` is that of an error."""
        return self._providers[instance.provider].judge(status, headers, body)

    async def error(
        self,
        exchange: Exchange,
        attempt: Attempt,
        answer: tuple[int, Headers],
        lane: Lane | None = None,
    ) -> tuple[str, Judgement]:
        """Read an error's body; its text, and what it says of the instance."""
        status, headers = answer
        data = await self._body(exchange, attempt, lane)
        judgement = self.judge(attempt.instance, status, headers, data)
        return text_of(status, data), judgement

    async def problem(
        self,
        exchange: Exchange,
        attempt: Attempt,
        answer: tuple[int, Headers],
        lane: Lane | None = None,
    ) -> AnsweredError:
        """An error answer of a provider that was spoken to in another dialect."""
        assert attempt.conversion is not None
        data = await self._body(exchange, attempt, lane)
        error = attempt.conversion.problem(*answer, data)
        error.fields = advice(answer[1], attempt.instance)
        return error

    async def _body(
        self, exchange: Exchange, attempt: Attempt, lane: Lane | None
    ) -> bytes:
        body = ErrorBody(attempt.call, self._wheel)
        attempt.attach(body)
        try:
            return await _settled(exchange, body.done, lane)
        finally:
            body.close()


async def _settled(exchange: Exchange, awaited: Deferred[T], lane: Lane | None) -> T:
    """
    Await something of an attempt. Of one that runs beside others, whoever let it run
    cancels it; of any other, what ends the exchange.
    """
    if awaited.called or lane is not None:
        return await awaited
    return await exchange.wait(awaited)
