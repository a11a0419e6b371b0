"""The promises every ``IFraming`` keeps, ours and third parties'."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from time import process_time
from typing import Any

from zope.interface.verify import verifyObject

from aigw.errors import FramingError
from aigw.interfaces.framing import IFrameDecoder, IFraming


def check_framing(
    framing: IFraming,
    frames: Sequence[Any],
    *,
    bad: bytes | None = None,
    large: Any = None,
) -> None:
    """
    Hold ``framing`` to what :class:`aigw.interfaces.IFraming` says.

    Frames are compared with ``==``. Takes well under a second, a few with ``large``.

    :param frames: samples, at least two, of different kinds and lengths.
    :param bad: bytes that, on a frame boundary, are refused; None for a framing to
        which any bytes are something (SSE).
    :param large: a frame of 128 KiB or more once encoded, to see that the work is
        linear however it is cut; None leaves that out.
    :raises AssertionError: a promise is broken.
    """
    verifyObject(IFraming, framing)
    assert framing.content_type == framing.content_type.lower()
    assert ";" not in framing.content_type, "a media type has no parameters here"
    assert framing.max_remainder > 0
    assert len(frames) >= 2, "give at least two sample frames"
    frames = list(frames)
    encoded = [framing.encode(frame) for frame in frames]
    _check_round_trip(framing, frames, encoded)
    _check_buffers(framing, frames, encoded)
    _check_decoder(framing, frames, encoded)
    _check_ping(framing, frames, encoded)
    _check_limit(framing, frames, encoded)
    if bad is not None:
        _check_bad(framing, frames, encoded, bad)
    _check_noise(framing, encoded)
    if large is not None:
        _check_linear(framing, large)


def feed_all(decoder: IFrameDecoder, reads: Iterable[bytes]) -> list[Any]:
    """All frames of ``reads`` and of the end behind them."""
    frames: list[Any] = []
    for data in reads:
        frames += decoder.feed(data)
    return frames + decoder.end()


def until_refused(decoder: IFrameDecoder, reads: Iterable[bytes]) -> list[Any]:
    """
    The good frames before the one that is refused.

    :raises AssertionError: nothing was refused.
    """
    frames: list[Any] = []
    try:
        for data in reads:
            frames += decoder.feed(data)
    except FramingError as error:
        return frames + list(error.frames)
    raise AssertionError("FramingError was expected")


def single_bytes(data: bytes) -> list[bytes]:
    """``data``, one byte a read."""
    return [data[at : at + 1] for at in range(len(data))]


def _check_round_trip(
    framing: IFraming, frames: list[Any], encoded: list[bytes]
) -> None:
    for frame, data in zip(frames, encoded, strict=True):
        assert isinstance(data, bytes), type(data)
        assert framing.decode(data) == [frame], data
    assert framing.decode(b"".join(encoded)) == frames
    assert framing.decode(b"") == []


def _check_buffers(framing: IFraming, frames: list[Any], encoded: list[bytes]) -> None:
    """``decode_buf``, ``split_buf`` and ``whole`` agree about each beginning."""
    stream = b"".join(encoded)
    for at in _cuts(stream):
        buf = stream[:at]
        found, rest = framing.decode_buf(buf)
        assert found == frames[: len(found)], buf
        assert buf.endswith(rest)
        assert framing.split_buf(buf) == (buf[: at - len(rest)], rest), buf
        if framing.whole(buf):
            assert not rest, f"whole, but {len(rest)} bytes remain"
        again, rest = framing.decode_buf(rest + stream[at:])
        assert found + again == frames, f"cut at {at}"
        assert rest == b""


def _check_decoder(framing: IFraming, frames: list[Any], encoded: list[bytes]) -> None:
    """The same frames for any cut, at once, and ``pending`` only between them."""
    stream = b"".join(encoded)
    verifyObject(IFrameDecoder, framing.decoder())
    assert framing.decoder().pending == 0
    for at in _cuts(stream):
        assert feed_all(framing.decoder(), [stream[:at], stream[at:]]) == frames
    assert feed_all(framing.decoder(), single_bytes(stream)) == frames
    decoder = framing.decoder()
    assert decoder.feed(b"") == []
    for frame, data in zip(frames, encoded, strict=True):
        for byte in single_bytes(data[:-1]):
            assert decoder.feed(byte) == []
            assert decoder.pending > 0
        assert decoder.feed(data[-1:]) == [frame], "a frame is given as it completes"
        assert decoder.pending == 0
    assert decoder.end() == []


def _check_ping(framing: IFraming, frames: list[Any], encoded: list[bytes]) -> None:
    ping = framing.ping()
    if ping is None:
        return
    assert framing.decode(ping) == []
    assert feed_all(framing.decoder(), [ping, encoded[0], ping]) == [frames[0]]


def _check_limit(framing: IFraming, frames: list[Any], encoded: list[bytes]) -> None:
    """What is over the limit is refused in whatever reads; what has its size is not."""
    longest = max(encoded, key=len)
    limit = len(longest) // 2
    assert limit, "sample frames are empty"
    fit = [at for at, data in enumerate(encoded) if len(data) <= limit]
    good = [frames[at] for at in fit]
    stream = b"".join([encoded[at] for at in fit]) + longest
    assert until_refused(framing.decoder(limit), [stream]) == good
    assert until_refused(framing.decoder(limit), single_bytes(stream)) == good
    everything = b"".join(encoded)
    for reads in ([everything], single_bytes(everything)):
        assert feed_all(framing.decoder(len(longest)), reads) == frames


def _check_bad(
    framing: IFraming, frames: list[Any], encoded: list[bytes], bad: bytes
) -> None:
    stream = b"".join(encoded) + bad
    assert until_refused(framing.decoder(), [stream]) == frames
    assert until_refused(framing.decoder(), single_bytes(stream)) == frames
    for decode in (framing.decode, framing.decode_buf):
        refused: FramingError | None = None
        try:
            decode(stream)
        except FramingError as error:
            refused = error
        assert refused is not None, "FramingError was expected"
        assert refused.frames == frames


def _check_noise(framing: IFraming, encoded: list[bytes]) -> None:
    """Bytes that were damaged raise FramingError, or nothing."""
    chance = random.Random(1)
    stream = b"".join(encoded)
    for _ in range(200):
        damaged = bytearray(stream)
        for _ in range(chance.randint(1, 4)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        decoder = framing.decoder()
        half = chance.randrange(len(damaged))
        try:
            decoder.feed(bytes(damaged[:half]))
            decoder.feed(bytes(damaged[half:]))
            decoder.end()
        except FramingError:
            pass


def _check_linear(framing: IFraming, large: Any) -> None:
    """
    Four times the bytes of a frame, in small reads, cost four times as much and not
    sixteen. Between them stands what a busy machine does to a measurement.
    """
    data = framing.encode(large)
    assert len(data) >= 128 * 1024, "a large frame has 128 KiB or more"
    reads = [data[at : at + 16] for at in range(0, len(data), 16)]
    assert feed_all(framing.decoder(), reads) == [large]
    for _ in range(3):
        ratio = _cost(framing, reads) / _cost(framing, reads[: len(reads) // 4])
        if ratio < 8:
            return
    raise AssertionError(f"four times the bytes cost {ratio:.1f} times as much")


def _cost(framing: IFraming, reads: list[bytes]) -> float:
    """CPU seconds to feed ``reads``, the best of three."""
    best = float("inf")
    for _ in range(3):
        feed = framing.decoder().feed
        begun = process_time()
        for data in reads:
            feed(data)
        best = min(best, process_time() - begun)
    return best


def _cuts(stream: bytes) -> range:
    """Where to cut: everywhere, or at 2,000 places of a long stream."""
    return range(0, len(stream) + 1, max(1, len(stream) // 2000))
