"""The decoder for framings that have only ``decode_buf``, and what the check finds."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from zope.interface import implementer

from aigw.errors import FramingError
from aigw.framing import BufDecoder
from aigw.interfaces import IFrameDecoder, IFraming
from aigw.testing.framing import check_framing, feed_all, single_bytes, until_refused

LARGE = b"x" * 256 * 1024


@implementer(IFraming)
class Counted:
    """Frames with their length in four bytes before them, at most 1 MiB."""

    name = "counted"
    content_type = "application/x-counted"
    max_remainder = 1024 * 1024

    def decoder(self, limit: int | None = None) -> IFrameDecoder:
        return BufDecoder(self, limit, wanted=self.wanted)

    def wanted(self, buf: bytes) -> int:
        return 4 if len(buf) < 4 else 4 + int.from_bytes(buf[:4], "big")

    def decode_buf(self, buf: bytes) -> tuple[list[bytes], bytes]:
        frames: list[bytes] = []
        while len(buf) >= 4:
            end = self.wanted(buf)
            if end > self.max_remainder:
                raise FramingError(f"a frame of {end} bytes", frames)
            if len(buf) < end:
                break
            frames.append(buf[4:end])
            buf = buf[end:]
        return frames, buf

    def decode(self, buf: bytes) -> list[bytes]:
        frames, rest = self.decode_buf(buf)
        if rest:
            raise FramingError("a frame cut short", frames)
        return frames

    def split_buf(self, buf: bytes) -> tuple[bytes, bytes]:
        _, rest = self.decode_buf(buf)
        return buf[: len(buf) - len(rest)], rest

    def whole(self, buf: bytes) -> bool:
        return False

    def encode(self, frame: bytes) -> bytes:
        return len(frame).to_bytes(4, "big") + frame

    def ping(self) -> bytes | None:
        return None


@implementer(IFraming)
class Lines(Counted):
    """Frames that end with CRLF."""

    name = "lines"
    content_type = "application/x-lines"

    def decoder(self, limit: int | None = None) -> IFrameDecoder:
        return BufDecoder(self, limit, mark=b"\r\n")

    def decode_buf(self, buf: bytes) -> tuple[list[bytes], bytes]:
        *frames, rest = buf.split(b"\r\n")
        return frames, rest

    def encode(self, frame: bytes) -> bytes:
        return frame + b"\r\n"


class WithoutHint(Lines):
    def decoder(self, limit: int | None = None) -> IFrameDecoder:
        return BufDecoder(self, limit)


def test_a_length_in_front_is_enough_of_a_hint() -> None:
    check_framing(Counted(), [b"a", b"", b"ccc"], bad=b"\xff" * 4, large=LARGE)


def test_a_mark_at_the_end_is_enough_of_a_hint_also_when_it_is_cut() -> None:
    check_framing(Lines(), [b"a", b"", b"c\rc\nc"], large=LARGE)


def test_without_a_hint_all_but_the_linear_cost_is_promised() -> None:
    check_framing(WithoutHint(), [b"a", b"", b"c\rc\nc"])
    with pytest.raises(AssertionError, match="times as much"):
        check_framing(WithoutHint(), [b"a", b"bb"], large=LARGE[::2])


def test_frames_larger_than_the_limit_are_refused_in_whatever_reads() -> None:
    stream = b"aaaa\r\nbb\r\ncccccc\r\ndd\r\n"
    for reads in ([stream], single_bytes(stream), [stream[:7], stream[7:]]):
        decoder = Lines().decoder(6)
        assert until_refused(decoder, reads) == [b"aaaa", b"bb"]
        with pytest.raises(FramingError, match="spent"):
            decoder.feed(b"ee\r\n")
        assert len(feed_all(Lines().decoder(8), reads)) == 4


def test_good_frames_of_earlier_pieces_of_a_read_are_kept() -> None:
    framing = Counted()
    stream = framing.encode(b"a") + framing.encode(b"b") + b"\xff\xff\xff\xff"
    with pytest.raises(FramingError) as refused:
        framing.decoder(7).feed(stream)
    assert refused.value.frames == [b"a", b"b"]


class LosesFrames(Lines):
    def decode(self, buf: bytes) -> list[bytes]:
        return super().decode(buf)[:1]


class KeepsTooMuch(Lines):
    def split_buf(self, buf: bytes) -> tuple[bytes, bytes]:
        return b"", buf


class SaysWhole(Lines):
    def whole(self, buf: bytes) -> bool:
        return True


class ForgetsTheLimit(Lines):
    def decoder(self, limit: int | None = None) -> IFrameDecoder:
        return super().decoder()


class DropsTheGood(Counted):
    def decode_buf(self, buf: bytes) -> tuple[list[bytes], bytes]:
        try:
            return super().decode_buf(buf)
        except FramingError as error:
            raise FramingError(str(error)) from error


class RaisesAnything(Counted):
    def decode_buf(self, buf: bytes) -> tuple[list[bytes], bytes]:
        frames, rest = super().decode_buf(buf)
        if any(max(frame, default=0) > 127 for frame in frames):
            raise UnicodeDecodeError("ascii", b"", 0, 1, "not ASCII")
        return frames, rest


class PingsAFrame(Lines):
    def ping(self) -> bytes:
        return b"\r\n"


class UpperCase(Lines):
    content_type = "Application/X-Lines"


@pytest.mark.parametrize(
    "broken",
    [LosesFrames, KeepsTooMuch, SaysWhole, ForgetsTheLimit, PingsAFrame, UpperCase],
)
def test_the_check_finds_a_broken_promise(broken: Callable[[], IFraming]) -> None:
    with pytest.raises(AssertionError):
        check_framing(broken(), [b"a", b"bbbbb"])


def test_the_check_finds_good_frames_lost_before_a_bad_one() -> None:
    with pytest.raises(AssertionError):
        check_framing(DropsTheGood(), [b"a", b"bbbbb"], bad=b"\xff" * 4)


def test_the_check_finds_errors_that_are_not_framing_errors() -> None:
    with pytest.raises(UnicodeDecodeError):
        check_framing(RaisesAnything(), [b"a" * 40, b"b" * 40])
