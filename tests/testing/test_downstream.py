"""Both fronts and the client in memory keep the promises; broken ones are found out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import BytesIO

import pytest
from twisted.internet.interfaces import IPushProducer

from aigw.http.held import HeldBody
from aigw.interfaces import IBodySource, IDownstream
from aigw.model.headers import Headers
from aigw.testing.body_source import check_body_source
from aigw.testing.downstream import MemoryDownstream
from aigw.testing.downstream_check import check_downstream
from aigw.testing.front import KINDS
from tests.fronts.bench import Bench

Write = Callable[[bytes], None]
Finish = Callable[[], None]
Failed = Callable[[Exception], None]

LINE = b"POST /v1/a%20b?x=%2F HTTP/1.1"


class FrontRig:
    """A client of a front in memory, that has sent its request."""

    def __init__(self, bench: Bench, body: bytes = b"12345") -> None:
        self.bench = bench
        length = () if body else (b"Content-Length: 0",)
        self.downstream = bench.request(LINE, *length, body=body)
        self.fill, self.empty = bench.wire.fill, bench.wire.empty
        self.leave, self.settle = bench.wire.reset, bench.settle

    @property
    def source(self) -> IBodySource:
        return self.downstream.source()

    def answer(self) -> tuple[int, Headers, bytes]:
        head, end, body = bytes(self.bench.wire.sent).partition(b"\r\n\r\n")
        if not end:
            return 0, [], b""
        line, *lines = head.split(b"\r\n")
        fields = [line.partition(b": ") for line in lines]
        headers = [(name.lower(), value) for name, _, value in fields]
        if (b"transfer-encoding", b"chunked") in headers:
            body = b"".join(chunks(body))
        return int(line.split()[1]), headers, body

    def end(self) -> str:
        _, headers, body = self.answer()
        length = dict(headers).get(b"content-length")
        if length is None:
            complete = self.bench.wire.sent.endswith(b"\r\n0\r\n\r\n")
        else:
            complete = len(body) == int(length)
        wire = self.bench.wire
        return "complete" if complete else "broken" if wire.ended or wire.gone else ""


def chunks(body: bytes) -> Iterator[bytes]:
    while body:
        size, _, rest = body.partition(b"\r\n")
        yield rest[: int(size, 16)]
        body = rest[int(size, 16) + 2 :]


class MemoryRig:
    """The client in memory, or one that is like it but for one promise."""

    def __init__(
        self,
        kind: type[MemoryDownstream] = MemoryDownstream,
        body: bytes = b"12345",
    ) -> None:
        self.client = kind(body, target=LINE.split()[1])
        self.downstream: IDownstream = self.client
        self.fill, self.empty = self.client.fill, self.client.empty
        self.leave = self.client.leave

    @property
    def source(self) -> IBodySource:
        return self.client.source()

    def settle(self) -> None:
        """All happens at once."""

    def answer(self) -> tuple[int, Headers, bytes]:
        client = self.client
        return client.status or 0, client.answer, client.written

    def end(self) -> str:
        ends = {None: "", "finish": "complete", "cut": "broken", "abort": "broken"}
        return ends[self.client.ended]


Rigs = Callable[..., FrontRig]


@pytest.fixture(params=KINDS)
def front_rig(request: pytest.FixtureRequest) -> Iterator[Rigs]:
    """Makes rigs over a front of each kind."""
    benches: list[Bench] = []

    def make(body: bytes = b"12345") -> FrontRig:
        benches.append(Bench(request.param))
        return FrontRig(benches[-1], body)

    yield make
    for bench in benches:
        bench.close()


def test_a_front_keeps_the_promises(front_rig: Rigs) -> None:
    check_downstream(front_rig)


def test_the_body_of_a_front_keeps_the_promises(front_rig: Rigs) -> None:
    check_body_source(front_rig)


def test_the_client_in_memory_keeps_the_promises() -> None:
    check_downstream(MemoryRig)
    check_body_source(lambda body: MemoryRig(body=body))


class CutLooksComplete(MemoryDownstream):
    def cut(self) -> None:
        self.finish()


class LosesWhatIsWritten(MemoryDownstream):
    def write(self, data: bytes) -> None:
        super().write(data[:-1])


class ForgetsThatItIsFull(MemoryDownstream):
    def register(self, producer: IPushProducer) -> None:
        self._full = False
        super().register(producer)


class TellsOfLossTwice(MemoryDownstream):
    def leave(self) -> None:
        super().leave()
        if self.on_lost is not None:
            self.on_lost()


class RaisesWhenTheClientHasGone(MemoryDownstream):
    def finish(self) -> None:
        assert not self.lost
        super().finish()


class KeepsTheProducer(MemoryDownstream):
    def unregister(self) -> None:
        """Forgets to."""


class ReadsAnything(MemoryDownstream):
    async def read(self, limit: int) -> bytes:
        return await super().read(1 << 30)


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        (CutLooksComplete, "cut, its end is 'complete'"),
        (LosesWhatIsWritten, "the client has b'ontw'"),
        (ForgetsThatItIsFull, "full already"),
        (TellsOfLossTwice, "on_lost was called with"),
        (RaisesWhenTheClientHasGone, "after the client has gone a call raised"),
        (KeepsTheProducer, "unregistered"),
        (ReadsAnything, "with a limit of 4"),
    ],
)
def test_a_broken_downstream_is_found_out(
    kind: type[MemoryDownstream], why: str
) -> None:
    with pytest.raises(AssertionError, match=why):
        check_downstream(lambda: MemoryRig(kind))


class Held(HeldBody):
    """A body that is there, as a rig of itself."""

    def __init__(self, body: bytes) -> None:
        super().__init__(BytesIO(body), len(body))

    @property
    def source(self) -> IBodySource:
        return self

    def settle(self) -> None:
        """All happens at once."""


class IgnoresPause(Held):
    def pause(self) -> None:
        """Goes on."""


class GoesOnBehindStop(Held):
    def stop(self) -> None:
        if self._body.tell() == self.length:
            super().stop()


class FinishesTwice(Held):
    def start(self, write: Write, finish: Finish, failed: Failed) -> None:
        super().start(write, finish, failed)
        finish()


class LosesBytes(Held):
    def start(self, write: Write, finish: Finish, failed: Failed) -> None:
        super().start(lambda data: write(data[:-1]), finish, failed)


class BeginsWithNothing(Held):
    def start(self, write: Write, finish: Finish, failed: Failed) -> None:
        write(b"")
        super().start(write, finish, failed)


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        (IgnoresPause, "came while paused"),
        (GoesOnBehindStop, "behind stop|told"),
        (FinishesTwice, r"told was \['finish', 'finish'\]"),
        (LosesBytes, "4 bytes came of 5"),
        (BeginsWithNothing, "an empty piece"),
    ],
)
def test_a_broken_body_is_found_out(kind: type[Held], why: str) -> None:
    with pytest.raises(AssertionError, match=why):
        check_body_source(kind)
