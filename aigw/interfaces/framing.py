"""Framings: how a byte stream is cut into frames, and frames become bytes."""

from __future__ import annotations

from typing import Any

from zope.interface import Attribute, Interface


class IFrameDecoder(Interface):
    """
    An incremental decoder of one byte stream; lives as long as that stream.

    Called as ``feed*`` then ``end`` once. The frames given do not depend on how
    the bytes were cut, and the work is linear in them however they were cut.
    """

    pending: int = Attribute("How many bytes are held of a frame not yet complete.")

    def feed(data: bytes) -> list[Any]:
        """
        Take the next bytes.

        :returns: the frames completed by them, in order; often none.
        :raises FramingError: a frame is malformed or over the limit; ``frames`` of the
            error holds the good ones completed before it. The decoder is then spent.
        """

    def end() -> list[Any]:
        """
        The stream has ended.

        :returns: frames that the end completes, where the framing has such (SSE has
            none: an unterminated block is discarded, WHATWG HTML section 9.2.6).
        """


class IFraming(Interface):
    """
    A framing: SSE, AWS EventStream, or a third party's. One instance serves the whole
    process and keeps no state of a stream.
    """

    name: str = Attribute("The name configuration and :func:`aigw.framing.get` use.")
    content_type: str = Attribute("The media type that announces it, lower case.")
    max_remainder: int = Attribute(
        "The most bytes of an incomplete frame that are kept, unless told otherwise."
    )

    def decoder(limit: int | None = None) -> IFrameDecoder:
        """
        A fresh decoder.

        :param limit: the largest frame in bytes; None means ``max_remainder``.
        """

    def decode_buf(buf: bytes) -> tuple[list[Any], bytes]:
        """
        Cut all complete frames from ``buf``, which begins on a frame boundary.

        :returns: the frames, and the bytes behind the last complete one.
        :raises FramingError: as :meth:`IFrameDecoder.feed`.
        """

    def decode(buf: bytes) -> list[Any]:
        """
        Decode a complete body; an unterminated last frame counts as a frame where the
        framing can tell (SSE), else it is an error.

        :raises FramingError: as :meth:`IFrameDecoder.feed`.
        """

    def split_buf(buf: bytes) -> tuple[bytes, bytes]:
        """
        Cut ``buf`` behind its last complete frame, without decoding payloads.

        :returns: the complete part and the remainder; joined they are ``buf``.
        :raises FramingError: lengths or checksums show that no frame can follow.
        """

    def whole(buf: bytes) -> bool:
        """
        Whether ``buf``, known to begin on a frame boundary, also ends on one. False
        where that cannot be told cheaply: the caller then decodes.
        """

    def encode(frame: Any) -> bytes:
        """
        The bytes of one frame; the inverse of decoding.

        :raises FramingError: the frame cannot be carried (a line break in an SSE type,
            a header name too long).
        """

    def ping() -> bytes | None:
        """Bytes that keep a connection alive and mean nothing, or None."""
