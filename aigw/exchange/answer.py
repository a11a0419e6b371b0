"""From an answer's head to the relay that carries its body: which way it goes."""

from __future__ import annotations

from aigw.errors import AnswerTooLarge, UpstreamError
from aigw.framing import Framings
from aigw.http.headers import towards_client
from aigw.interfaces import IFraming, IWheel
from aigw.model.headers import Headers, media_type_of
from aigw.model.instance import Instance
from aigw.streaming.continued import Continued
from aigw.streaming.continued_relay import ContinuedRelay
from aigw.streaming.flush import Flush
from aigw.streaming.hide import Hiding
from aigw.streaming.outlet import Outlet
from aigw.streaming.passthrough import Passthrough, Verbatim
from aigw.streaming.relay import Relay
from aigw.streaming.way import Way

from .attempt import Attempt
from .exchange import Exchange
from .lane import Lane
from .translation import Answered


class Answers:
    """Builds the way and the relay of an answer, once, when its head is here."""

    def __init__(self, framings: Framings, flush: Flush, wheel: IWheel) -> None:
        self._framings = framings
        self._flush = flush
        self._wheel = wheel

    def framing(self, name: str) -> IFraming | None:
        """The framing of that name; None for ``""``."""
        return self._framings.get(name) if name else None

    def framing_of(self, headers: Headers) -> IFraming | None:
        """The framing an answer comes in; None where it is no stream, or is coded."""
        kind = _kind(dict(headers))
        return self._framings.by_content_type(kind) if kind is not None else None

    def relay(
        self,
        exchange: Exchange,
        attempt: Attempt,
        status: int,
        headers: Headers,
        held: bool = False,
        lane: Lane | None = None,
    ) -> Relay:
        """
        Join provider and client.

        :param held: whether another attempt may follow, so that the first bytes wait
            for content (architecture.md, commit point).
        :param lane: its way to the client, where others run for it too.
        :raises AnswerTooLarge: the announced length is over ``max_response_bytes``.
        :raises UpstreamError: a heartbeat has begun a stream, and this is none.
        """
        instance = attempt.instance
        fields = dict(headers)
        length = fields.get(b"content-length")
        if exchange.envelope.method != "HEAD":
            self._check_length(length, instance)
        kind = _kind(fields)
        framing = None
        if status < 400 and kind is not None:
            framing = self._framings.by_content_type(kind)
        readable = kind == "application/json"
        told = towards_client(headers, instance)
        conversion = attempt.conversion
        if conversion is not None:
            wanted = exchange.framing
            record = exchange.record
            way = conversion.way(
                Answered(
                    framing, wanted, readable, instance, record.time, record.request_id
                )
            )
            framing, length = wanted, None
            kind = wanted.content_type if wanted is not None else "application/json"
            told = [pair for pair in told if pair[0] != b"content-type"]
            told.append((b"content-type", kind.encode("ascii")))
        else:
            way = self._way(exchange, attempt, framing, readable)
        if exchange.begun and (status != 200 or framing is not exchange.framing):
            raise UpstreamError(
                f"the provider answered with status {status}", reason="no_stream"
            )
        (lane or exchange).answered(framing, status)
        exchange.debug = attempt.debug
        if framing is not None:
            told = exchange.stream_headers(told)
        else:
            if length is not None:
                told.append((b"content-length", length))
            told = exchange.headers(told)
        # Where others run, there is no hurry: the first to have content is waited for.
        hold = instance.streaming.commit_hold if lane is None else None
        outlet = Outlet(
            lane or exchange.downstream,
            (status, told),
            self._flush.ticker(instance.streaming.flush),
            self._wheel.seconds,
            begun=exchange.begun,
            held=held and way.tap is not None and hold != 0,
        )
        make = ContinuedRelay if isinstance(way, Continued) else Relay
        relay = make(
            lane or exchange.downstream,
            attempt.call,
            way,
            outlet,
            lane or exchange,
            instance.streaming,
            self._wheel,
            hold=hold,
            idle=instance.deadlines.idle,
            client_stall=instance.deadlines.client_stall,
        )
        attempt.relay = relay
        attempt.attach(relay)
        return relay

    def _check_length(self, length: bytes | None, instance: Instance) -> None:
        most = instance.streaming.max_response_bytes
        if most is not None and length is not None and int(length) > most:
            reason = "max_response_bytes"
            raise AnswerTooLarge(f"{reason} exceeded", reason=reason)

    def _way(
        self,
        exchange: Exchange,
        attempt: Attempt,
        framing: IFraming | None,
        readable: bool,
    ) -> Way:
        dialect, instance = exchange.dialect, attempt.instance
        collect = instance.logging.payloads
        if framing is None:
            return Verbatim(dialect.tap(collect) if readable else None)
        watch = collect or instance.deadlines.idle is not None
        # A dialect's terminal frame is looked for in its own framing alone.
        terminates = dialect.terminal and framing.name == dialect.framing
        tap = dialect.tap(collect)
        if attempt.outbound.hides_usage and framing.name == "sse":
            return Hiding(framing, tap, terminates=terminates, watch=watch)
        limit = instance.streaming.max_event_bytes if framing.name == "sse" else None
        return Passthrough(
            framing, tap, terminates=terminates, limit=limit, watch=watch
        )


def _kind(fields: dict[bytes, bytes]) -> str | None:
    """The media type of an answer that can be read; None where it is coded."""
    if fields.get(b"content-encoding", b"identity") != b"identity":
        return None
    return media_type_of(fields.get(b"content-type", b""))
