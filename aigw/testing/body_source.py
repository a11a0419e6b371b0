"""The promises every ``IBodySource`` keeps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from zope.interface.verify import verifyObject

from aigw.interfaces import IBodySource

#: More than any source gives in one piece.
_BODY = bytes(range(256)) * 800


class BodyRig(Protocol):
    """What :func:`check_body_source` needs: a source, and the client behind it."""

    @property
    def source(self) -> IBodySource:
        """What is checked; not started."""

    def settle(self) -> None:
        """Let happen all that is under way."""


class _Taker:
    """Takes a body, and does as the test says with each piece."""

    def __init__(self, rig: BodyRig) -> None:
        self.rig = rig
        self.source = rig.source
        self.pieces: list[bytes] = []
        self.ends: list[Any] = []
        self.react: Callable[[], None] | None = None

    def start(self) -> None:
        self.source.start(self._write, lambda: self.ends.append("finish"), self._failed)
        self.rig.settle()

    def _write(self, data: bytes) -> None:
        assert not self.ends, f"a piece after {self.ends}"
        assert isinstance(data, bytes), f"a piece is bytes, not {type(data).__name__}"
        assert data, "an empty piece"
        self.pieces.append(data)
        if self.react is not None:
            self.react()

    def _failed(self, error: Exception) -> None:
        self.ends.append(error)

    @property
    def body(self) -> bytes:
        return b"".join(self.pieces)


def check_body_source(make: Callable[[bytes], BodyRig]) -> None:
    """
    Hold a source of a request's body to what :class:`aigw.interfaces.IBodySource` says:
    all of the body comes, once, then its end; nothing while paused; nothing behind
    ``stop``.

    :param make: makes a fresh rig for a client that sends the whole body given, its
        length announced.
    :raises AssertionError: a promise is broken.
    """
    for body in (b"", b"12345", _BODY):
        _the_body_comes_and_then_its_end(_Taker(make(body)), body)
    _nothing_comes_while_paused(_Taker(make(_BODY)))
    _a_pause_from_inside_a_piece_holds_the_next(_Taker(make(_BODY)))
    _nothing_follows_stop(_Taker(make(_BODY)))
    _a_source_may_be_stopped_before_it_began(_Taker(make(_BODY)))


def _the_body_comes_and_then_its_end(taker: _Taker, body: bytes) -> None:
    verifyObject(IBodySource, taker.source)
    length = taker.source.length
    assert length == len(body), f"announced were {len(body)} bytes, told {length}"
    taker.rig.settle()
    assert not taker.pieces, "a piece before start"
    taker.start()
    assert taker.body == body, f"{len(taker.body)} bytes came of {len(body)}"
    assert taker.ends == ["finish"], f"the body is complete, told was {taker.ends}"
    taker.source.pause()
    taker.source.resume()
    taker.source.stop()
    taker.source.stop()
    taker.rig.settle()
    assert taker.ends == ["finish"], f"behind its end the body told {taker.ends}"


def _paused_at(taker: _Taker, count: int) -> None:
    def pause() -> None:
        if len(taker.pieces) == count:
            taker.source.pause()

    taker.react = pause
    taker.start()
    taker.rig.settle()


def _nothing_comes_while_paused(taker: _Taker) -> None:
    _paused_at(taker, 1)
    assert len(taker.pieces) == 1, f"{len(taker.pieces) - 1} pieces came while paused"
    taker.source.pause()
    taker.rig.settle()
    assert len(taker.pieces) == 1, "a piece came while paused twice"
    if taker.body != _BODY:
        assert not taker.ends, "the end was told while paused, before the rest"
    taker.source.resume()
    taker.source.resume()
    taker.rig.settle()
    assert taker.body == _BODY, f"resumed, {len(taker.body)} bytes of {len(_BODY)} came"
    assert taker.ends == ["finish"], f"resumed, the body told {taker.ends}"


def _a_pause_from_inside_a_piece_holds_the_next(taker: _Taker) -> None:
    def pause() -> None:
        taker.source.pause()

    taker.react = pause
    taker.start()
    for turn in range(1, len(_BODY)):
        if taker.ends:
            break
        assert len(taker.pieces) <= turn, "a piece came while paused"
        taker.source.resume()
        taker.rig.settle()
    assert taker.body == _BODY, "pausing lost or doubled some of the body"
    assert taker.ends == ["finish"], f"the body told {taker.ends}"


def _nothing_follows_stop(taker: _Taker) -> None:
    taker.react = lambda: taker.source.stop()
    taker.start()
    came = len(taker.pieces)
    assert came == 1, f"{came - 1} pieces came behind stop"
    taker.source.resume()
    taker.source.stop()
    taker.rig.settle()
    assert len(taker.pieces) == 1, "a piece came behind stop"
    assert not taker.ends, f"behind stop the body told {taker.ends}"


def _a_source_may_be_stopped_before_it_began(taker: _Taker) -> None:
    taker.source.stop()
    taker.source.stop()
    taker.source.resume()
    taker.rig.settle()
    assert not taker.pieces
    assert not taker.ends
