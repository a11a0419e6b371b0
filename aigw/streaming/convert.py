"""
Conversion: the client speaks another dialect than the provider. Bytes are cut into
frames, read as neutral events, written as frames of the client's dialect, and become
bytes again. Nothing waits for what comes next but what a writer must hold.
"""

from __future__ import annotations

from aigw.errors import AnswerTooLarge, FramingError
from aigw.interfaces import IFraming, IReader, ITap, IWriter
from aigw.model import event as events
from aigw.model import sight as sights
from aigw.model.event import Event, Failed

from .gather import events_of
from .held import ANSWER_LIMIT, Held
from .witness import Witness

_CONTENT = frozenset(
    {
        events.Text,
        events.Thinking,
        events.Arguments,
        events.Refusal,
        events.Media,
        events.Redacted,
    }
)
_PROGRESS = frozenset(
    {
        events.Signature,
        events.Citation,
        events.LogProbs,
        events.Finished,
        events.UsageReport,
        events.Unknown,
    }
)


class Converted:
    """
    A stream, converted; a :class:`aigw.streaming.way.Way`.

    A broken frame, an error the provider tells, or an end without a finish reason end
    it with an error frame in the client's dialect; nothing follows, and ``sight`` says
    ``ERROR``: whoever relays it must cut then, never finish as if it were complete.

    :param limit: the largest frame of the provider's in bytes, None for the framing's.
    :param collect: whether the tap keeps the answer's text.
    :ivar failed: the error that ended it, None where none did.
    """

    terminates = True
    boundary = True  # only whole frames are written

    def __init__(
        self,
        source: IFraming,
        reader: IReader,
        writer: IWriter,
        target: IFraming,
        *,
        limit: int | None = None,
        collect: bool = False,
    ) -> None:
        self.sight = sights.NOTHING
        self.damaged = False
        self.failed: Failed | None = None
        self._witness = Witness(collect)
        self._decoder = source.decoder(limit)
        self._reader = reader
        self._writer = writer
        self._encode = target.encode
        self._over = False

    @property
    def tap(self) -> ITap | None:
        return self._witness

    def feed(self, data: bytes) -> bytes:
        self.sight = sights.NOTHING
        if self._over:
            return b""
        out: list[bytes] = []
        broken: FramingError | None = None
        try:
            frames = self._decoder.feed(data)
        except FramingError as error:
            frames, broken = error.frames, error
        read, write = self._reader.feed, self._write
        for frame in frames:
            for event in read(frame):
                write(event, out)
        if broken is not None and not self._over:
            self.damaged = True
            self._write(_broken(f"the provider's stream is malformed: {broken}"), out)
        return b"".join(out)

    def end(self) -> bytes:
        self.sight = sights.NOTHING
        if self._over:
            return b""
        out: list[bytes] = []
        whole = True
        try:
            frames = self._decoder.end()
        except FramingError as error:
            frames, whole = error.frames, False
        for frame in frames:
            for event in self._reader.feed(frame):
                self._write(event, out)
        if whole and not self._over:
            for event in self._reader.end():
                self._write(event, out)
        if not self._over:
            self._write(_broken("the provider's stream ended early"), out)
        return b"".join(out)

    def _write(self, event: Event, out: list[bytes]) -> None:
        if self._over:
            return
        kind = type(event)
        if kind in _CONTENT:
            self.sight |= sights.CONTENT
        elif kind in _PROGRESS:
            self.sight |= sights.PROGRESS
        elif kind is events.Ended:
            self.sight |= sights.TERMINAL
            self._over = True
        elif isinstance(event, Failed):
            self.failed = event
            self.sight |= sights.ERROR
            self._over = True
        self._witness.see(event)
        encode = self._encode
        try:
            for frame in self._writer.feed(event):
                out.append(encode(frame))
        except AnswerTooLarge as error:
            self._write(_broken(error.message), out)
            return
        if self._over:
            for frame in self._writer.end():
                out.append(encode(frame))


class ConvertedWhole(Held):
    """
    A JSON answer, converted when it is complete; a :class:`aigw.streaming.way.Way`.

    :param stream: the framing of the client's stream where it asked for one, although
        the provider answered whole; None to write a JSON answer.
    :param limit: the most bytes the answer may have.
    """

    def __init__(
        self,
        reader: IReader,
        writer: IWriter,
        stream: IFraming | None = None,
        *,
        limit: int = ANSWER_LIMIT,
        collect: bool = False,
    ) -> None:
        self._witness = Witness(collect)
        self._reader = reader
        self._writer = writer
        self._stream = stream
        super().__init__(self._witness, limit=limit)

    def rewritten(self, body: bytes) -> bytes | Failed:
        answer = self._reader.whole(body)
        if isinstance(answer, Failed):
            self._witness.see(answer)
            return answer
        told = events_of(answer)
        for event in told:
            self._witness.see(event)
        if self._stream is None:
            return self._writer.whole(answer)
        self.sight |= sights.TERMINAL
        encode = self._stream.encode
        frames = [frame for event in told for frame in self._writer.feed(event)]
        return b"".join(map(encode, [*frames, *self._writer.end()]))


def _broken(message: str) -> Failed:
    return Failed("upstream", 502, message[:512])
