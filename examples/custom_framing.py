"""
A framing of your own: newline-delimited JSON (``application/x-ndjson``), which aigw
does not have, added without touching aigw.

This file is a plugin as it stands. Installed as ``aigw/plugins/ndjson.py`` (without an
``__init__.py``) anywhere on Python's path, its maker is found when a gateway starts,
and answers of that media type are read as streams of frames. An embedder needs no file
there and gives the maker to ``discover``, as ``main`` does::

    $ python examples/custom_framing.py
    framings: aws-eventstream, ndjson, sse
    {"text": "Hel"}
    {"text": "lo"}
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import Clock
from zope.interface import implementer

from aigw.errors import FramingError
from aigw.framing import BufDecoder, Framings
from aigw.interfaces import IFrameDecoder, IFraming, IMaker
from aigw.makers import discover
from aigw.model.frame import SSEFrame
from aigw.model.headers import media_type


@implementer(IFraming)
class NDJSON:
    """
    Newline-delimited JSON: a frame is one line. Its frames are those of SSE, with data
    and nothing else, because that is what the dialects look into for usage.
    """

    name = "ndjson"
    content_type = "application/x-ndjson"
    max_remainder = 1024 * 1024

    def decoder(self, limit: int | None = None) -> IFrameDecoder:
        # Nothing ends here without a newline: that hint keeps the work linear.
        return BufDecoder(self, limit, mark=b"\n")

    def decode_buf(self, buf: bytes) -> tuple[list[SSEFrame], bytes]:
        *lines, rest = buf.split(b"\n")
        return [SSEFrame(data=line) for line in lines if line], rest

    def decode(self, buf: bytes) -> list[SSEFrame]:
        frames, _ = self.decode_buf(buf + b"\n")
        return frames

    def split_buf(self, buf: bytes) -> tuple[bytes, bytes]:
        end = buf.rfind(b"\n") + 1
        return buf[:end], buf[end:]

    def whole(self, buf: bytes) -> bool:
        return buf.endswith(b"\n")

    def encode(self, frame: SSEFrame) -> bytes:
        line = frame.data
        if not line or b"\n" in line or frame != SSEFrame(data=line):
            raise FramingError("a line of JSON is all that can be carried")
        return line + b"\n"

    def ping(self) -> bytes:
        return b"\n"


@implementer(IMaker)
class NDJSONMaker:
    """Makes the framing. Found at import, so it does nothing until it is asked."""

    name = "ndjson"
    makes = IFraming

    def make(self, settings: Mapping[str, Any], clock: IReactorTime) -> NDJSON:
        return NDJSON()


ndjson = NDJSONMaker()


def main() -> None:
    """What a gateway does at its start, and then with an answer."""
    makers = discover([ndjson])
    framings = Framings(makers.every(IFraming, Clock()))
    print("framings:", ", ".join(sorted(framing.name for framing in framings)))

    headers = [(b"content-type", b"application/x-ndjson; charset=utf-8")]
    framing = framings.by_content_type(media_type(headers))
    assert framing is not None
    decoder = framing.decoder()
    for read in (b'{"text": "He', b'l"}\n{"text"', b': "lo"}\n'):
        for frame in decoder.feed(read):
            print(frame.data.decode())


if __name__ == "__main__":
    main()
