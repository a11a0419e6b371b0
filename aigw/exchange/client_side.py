"""The client's side of one request: what the gateway itself tells it."""

from __future__ import annotations

from aigw.errors import AnsweredError, GatewayError
from aigw.interfaces import IAlarm, IDialect, IDownstream, IFraming, IWheel
from aigw.model.headers import Fields, Headers, first
from aigw.model.outcome import Outcome
from aigw.model.record import Record
from aigw.streaming.ending import outcome_of


class ClientSide:
    """
    Heads of answers, errors in the client's own dialect, and a heartbeat until there is
    an answer.

    :ivar dialect: the client's dialect; its errors are shaped in it.
    :ivar framing: the framing of the client's stream, None where none was asked for.
    :ivar begun: whether a stream's head has gone before an answer came.
    :ivar extra: fields that go with every answer of this exchange.
    :ivar debug: fields that tell which instance answers, where the route tells it.
    """

    def __init__(
        self,
        downstream: IDownstream,
        dialect: IDialect,
        request_id: str,
        wheel: IWheel,
        time: float,
    ) -> None:
        self.downstream = downstream
        self.dialect = dialect
        self.framing: IFraming | None = None
        self.begun = False
        self.extra: Fields = ()
        self.debug: Fields = ()
        self._wheel = wheel
        self._beat: IAlarm | None = None
        self._hushed = False  # an answer that is no stream may be on its way
        client_id = first(downstream.headers, b"x-request-id")
        self.record = Record(
            time=time,
            request_id=request_id,
            client_request_id=client_id.decode("latin-1")[:128] if client_id else "",
            method=downstream.method,
            path=downstream.path,
            host=downstream.host,
            peer=downstream.peer,
        )

    # -- complete answers

    def answer(self, status: int, headers: Headers, body: bytes) -> None:
        """Answer as the gateway itself, completely."""
        record, downstream = self.record, self.downstream
        record.status = status
        if record.outcome is None:
            record.outcome = Outcome.COMPLETED
        if status != 204:
            headers.append((b"content-length", b"%d" % len(body)))
        downstream.start(status, self.headers(headers))
        if body and downstream.method != "HEAD":
            record.sent = len(body)
            downstream.write(body)
        downstream.finish()

    def refuse(self, error: GatewayError) -> None:
        """Answer with ``error``; in the stream where a heartbeat has begun one."""
        record, downstream = self.record, self.downstream
        record.reason = error.reason or error.kind
        record.outcome = outcome_of(error)
        if record.outcome is Outcome.BROKEN and not record.attempts:
            record.outcome = Outcome.REFUSED
        if self.begun:
            data = self.broken(error)
            downstream.write(data)
            record.sent += len(data)
            downstream.cut()
            return
        status, headers, body = self.dialect.problem(error, record.request_id)
        if isinstance(error, AnsweredError):
            headers.extend(error.fields)
        self.answer(status, headers, body)

    # -- streams

    def headers(self, answer: Headers) -> Headers:
        """``answer`` with the request's ids."""
        record = self.record
        answer.extend(self.extra)
        answer.extend(self.debug)
        own = record.request_id.encode("ascii")
        answer.append((b"x-aigw-request-id", own))
        if first(answer, b"x-request-id") is None:
            told = record.client_request_id
            answer.append((b"x-request-id", told.encode("latin-1") if told else own))
        return answer

    def stream_headers(self, answer: Headers) -> Headers:
        """The headers of a streamed answer: nobody on the way may keep or gather it."""
        answer = [pair for pair in answer if pair[0] != b"cache-control"]
        answer.append((b"cache-control", b"no-cache"))
        answer.append((b"x-accel-buffering", b"no"))
        return self.headers(answer)

    def ping(self) -> bytes | None:
        return self.framing.ping() if self.framing is not None else None

    def broken(self, error: GatewayError) -> bytes:
        """
        The frame that tells ``error`` in the client's stream; ``b""`` where the stream
        is in another framing than the one its dialect has words for.
        """
        framing = self.framing
        if framing is None or framing.name != self.dialect.framing:
            return b""
        frames = self.dialect.broken(error, self.record.request_id)
        return b"".join(map(framing.encode, frames))

    # -- a heartbeat until there is an answer

    def keep_alive(self, interval: float) -> None:
        """Send a heartbeat every ``interval`` seconds until there is an answer."""
        if self.framing is not None and self.framing.ping() is not None:
            self._beat = self._wheel.after(interval, lambda: self._heartbeat(interval))

    def _heartbeat(self, interval: float) -> None:
        framing = self.framing
        ping = framing.ping() if framing is not None else None
        if framing is None or ping is None:
            return
        if not self.begun:
            self.begun = True
            self.record.status = 200
            kind = framing.content_type.encode("ascii")
            self.downstream.start(200, self.stream_headers([(b"content-type", kind)]))
        self.downstream.write(ping)
        self.record.sent += len(ping)
        self.keep_alive(interval)

    def hush(self) -> None:
        """
        The answer will be no stream: no heartbeat may begin one, not even for another
        attempt that begins beside it. One that was begun goes on.
        """
        if not self.begun:
            self._hushed = True
            self._rest()

    def _rest(self) -> None:
        if self._beat is not None:
            self._beat.cancel()
            self._beat = None
