"""
Reframing: client and provider speak one dialect, each in an envelope of its own. Frames
are taken out of the one and put into the other; the events in them stay the bytes they
were, those that nobody here has heard of too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aigw.errors import FramingError
from aigw.interfaces import IFraming, IReader, ITap
from aigw.model import sight as sights
from aigw.model.event import Failed
from aigw.model.usage import Usage

from .held import Held

#: What ends a stream that no frame of its own does.
_MALFORMED = "the provider's stream is malformed"
_EARLY = "the provider's stream ended early"


class Reframed:
    """
    A stream, reframed; a :class:`aigw.streaming.way.Way`.

    A broken frame, an error that the provider tells, or an end without a finish reason
    ends it, told in the client's words; nothing follows, and ``sight`` says ``ERROR``.

    :param unwrap: gives the frame that one of the provider's holds, or None.
    :param wrap: gives the frame that holds one for the client, or None for none; told
        what is known to be used.
    :param tap: of the dialect both speak.
    :param reader: of the provider's dialect; says what a frame means that tells an
        error, and is asked nothing else.
    :param broken: gives the client's frames that tell of a failure.
    :param limit: the largest frame of the provider's in bytes, None for the framing's.
    """

    terminates = True
    boundary = True  # only whole frames are written

    def __init__(
        self,
        source: IFraming,
        target: IFraming,
        unwrap: Callable[[Any], Any],
        wrap: Callable[[Any, Usage | None], Any],
        tap: ITap,
        reader: IReader,
        broken: Callable[[Failed], list[Any]],
        *,
        limit: int | None = None,
    ) -> None:
        self.tap = tap
        self.sight = sights.NOTHING
        self.damaged = False
        self.failed: Failed | None = None
        self._decoder = source.decoder(limit)
        self._encode = target.encode
        self._unwrap = unwrap
        self._wrap = wrap
        self._reader = reader
        self._broken = broken
        self._over = False

    def feed(self, data: bytes) -> bytes:
        self.sight = sights.NOTHING
        if self._over:
            return b""
        malformed = False
        try:
            frames = self._decoder.feed(data)
        except FramingError as error:
            frames, malformed = error.frames, True
        out = self._pass(frames)
        if malformed and not self._over:
            self.damaged = True
            out += self._fail(Failed("upstream", 502, _MALFORMED))
        return b"".join(out)

    def end(self) -> bytes:
        self.sight = sights.NOTHING
        if self._over:
            return b""
        out = self._pass(self._decoder.end())
        cut = self._decoder.pending > 0
        if not self._over and (cut or not self.tap.finished):
            self.damaged = cut
            out += self._fail(Failed("upstream", 502, _EARLY))
        return b"".join(out)

    def _pass(self, frames: list[Any]) -> list[bytes]:
        out: list[bytes] = []
        unwrap, wrap, encode = self._unwrap, self._wrap, self._encode
        look = self.tap.feed
        for frame in frames:
            held = unwrap(frame)
            if held is None or (seen := look(held)) & sights.ERROR:
                failed = self._failure(frame)
                if failed is None:
                    continue  # of a kind that says nothing of the answer
                return out + self._fail(failed)
            self.sight |= seen
            wrapped = wrap(held, self.tap.usage)
            if wrapped is not None:
                out.append(encode(wrapped))
            if seen & sights.TERMINAL:
                self._over = True
                break
        return out

    def _failure(self, frame: Any) -> Failed | None:
        """What a frame tells that holds no event, or an error."""
        for event in self._reader.feed(frame):
            if isinstance(event, Failed):
                return event
        return None

    def _fail(self, failed: Failed) -> list[bytes]:
        self.failed = failed
        self.sight |= sights.ERROR
        self._over = True
        return [self._encode(frame) for frame in self._broken(failed)]


class ReframedWhole(Held):
    """
    A JSON answer that is the same in either envelope; a
    :class:`aigw.streaming.way.Way`. An error is not, whatever the status says: so it is
    looked for before anything is written.

    :param tap: of the dialect both speak.
    :param reader: of the provider's dialect; says whether it is an answer.
    """

    def __init__(self, tap: ITap, reader: IReader) -> None:
        super().__init__(tap)
        self._reader = reader

    def rewritten(self, body: bytes) -> bytes | Failed:
        answer = self._reader.whole(body)
        return answer if isinstance(answer, Failed) else body
