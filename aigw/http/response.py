"""
Answers of a provider, read from the bytes of one connection. Sans-IO.

The grammar is llhttp's (httptools) in its strict mode. What it leaves to its user is
here: where an answer without length ends, answers to HEAD, interim answers, transfer
codings, other protocols' names, bytes behind an answer, and bounds on what it swallows
without a word (13 MB of chunk extension).
"""

from __future__ import annotations

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from aigw.model.headers import Headers

#: The most bytes of a head, and of chunk lines or trailers between two pieces of body;
#: exceeded by at most one read before it is noticed.
LIMIT = 64 * 1024


class Malformed(ValueError):
    """What arrived is HTTP to the parser, but not to us."""


class Response:
    """
    The answer under way on a connection, and those after it.

    Called as ``expect`` before each answer, then ``feed`` for each read and ``eof`` if
    the connection closes. ``feed`` does not raise: what was good before an error is
    returned, so that the same bytes give the same answer however they are cut.

    :ivar status: 0 until the head is complete.
    :ivar headers: the head's fields but ``transfer-encoding``, names in lower case.
    :ivar begun: whether any byte of it (or of an interim answer) has arrived.
    :ivar complete: whether the answer ended properly.
    :ivar clean: whether, once it is complete, the connection may serve another.
    :ivar error: why nothing more can be read, or None.
    """

    __slots__ = (
        "_bodiless",
        "_chunked",
        "_held",
        "_interim",
        "_parser",
        "_pieces",
        "_recognised",
        "_sized",
        "_spent",
        "_unseen",
        "begun",
        "clean",
        "complete",
        "error",
        "headers",
        "status",
    )

    def __init__(self) -> None:
        self._parser: HttpResponseParser | None = HttpResponseParser(self)
        self._pieces: list[bytes] = []
        self.error: Exception | None = None
        self._spent = False
        self.expect(bodiless=False)

    def expect(self, bodiless: bool) -> None:
        """
        The next bytes begin a new answer.

        :param bodiless: whether it answers HEAD and thus ends with its head, whatever
            length the head tells (RFC 9112, section 6.3).
        """
        if self._spent:  # the parser waits for the body that HEAD's answer never has
            self._parser = HttpResponseParser(self)
        self._spent = self._bodiless = bodiless
        self.status = 0
        self.headers: Headers = []
        self.begun = self.complete = self.clean = False
        self._recognised = self._interim = self._chunked = self._sized = False
        self._held = b""
        self._unseen = 0

    def close(self) -> None:
        """Nothing more will be read. Breaks the cycle with the parser."""
        self._parser = None

    def feed(self, data: bytes) -> bytes:
        """
        Take the bytes of one read.

        :returns: the body among them, in one piece; often all of it, never a copy of a
            single piece.
        """
        if self._parser is None or self.error is not None:
            return b""
        self.begun = True
        if not self._recognised:
            # llhttp takes RTSP and ICE for HTTP, and skips empty lines before a head.
            data = self._held + data
            if not data.startswith(b"HTTP/"):
                if b"HTTP/".startswith(data):
                    self._held = data
                else:
                    self.error = Malformed("the answer does not begin with HTTP/")
                return b""
            self._recognised = True
        pieces = self._pieces
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            if self.complete:
                self.clean = False
            else:
                cause = error.__context__
                self.error = cause if isinstance(cause, Malformed) else error
        if not pieces:
            self._unseen += len(data)
            if self.complete:
                self.clean = self.clean and _ends_in_empty_line(data)
            elif self._unseen > LIMIT and self.error is None:
                what = "chunk line or trailers" if self.status else "head"
                self.error = Malformed(f"{what} of more than {LIMIT} bytes")
            return b""
        self._unseen = 0
        body = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        if self.complete:
            self.clean = self.clean and (
                _ends_in_empty_line(data)
                if self._chunked
                else data.endswith(pieces[-1])
            )
        pieces.clear()
        return body

    def eof(self, proper: bool) -> bool:
        """
        The connection has closed.

        :param proper: whether by a FIN (and over TLS a close_notify), not by a loss.
        :returns: whether that completes the answer, which is so where the head tells
            neither length nor chunks (RFC 9112, section 6.3, rule 8).
        """
        open_ended = not (self._chunked or self._sized)
        if proper and self.status and open_ended and self.error is None:
            self.complete = True
        return self.complete

    # -- called by the parser, from inside feed_data

    def on_message_begin(self) -> None:
        if self.complete:
            raise Malformed("bytes behind the answer")

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.status:
            return  # a trailer
        name = name.lower()
        if name == b"transfer-encoding":
            if self._chunked or value.lower() != b"chunked":
                raise Malformed("a transfer coding other than chunked")
            self._chunked = True
            return
        if name == b"content-length":
            self._sized = True
        self.headers.append((name, value))

    def take_headers(self) -> Headers:
        """``headers``, for one who takes them: a body may take minutes."""
        headers, self.headers = self.headers, []
        return headers

    def on_headers_complete(self) -> None:
        assert self._parser is not None
        status = self._parser.get_status_code()
        if status < 200:
            if status < 100 or status == 101:
                raise Malformed(f"status {status}")
            self._interim = True
            return
        if self._parser.get_http_version() not in ("1.1", "1.0"):
            raise Malformed("a version other than HTTP/1.1 and HTTP/1.0")
        self.status = status
        if self._bodiless:
            self._end()

    def on_body(self, data: bytes) -> None:
        if self.complete:
            raise Malformed("a body where none may be")
        self._pieces.append(data)

    def on_message_complete(self) -> None:
        if self._interim:
            self._interim = self._chunked = self._sized = False
            self.headers = []
        elif not self.complete:
            self._end()

    def _end(self) -> None:
        # Asked here because the parser forgets it when it returns from its callback.
        assert self._parser is not None
        self.complete = True
        self.clean = (
            self._parser.should_keep_alive()
            and self._parser.get_http_version() == "1.1"
        )


def _ends_in_empty_line(data: bytes) -> bool:
    """
    Whether a read that completed an answer without showing its last bytes ends exactly
    there: llhttp skips line breaks behind an answer without a word.
    """
    tail = data[-4:]
    return b"\r\n\r\n".endswith(tail) and not data.endswith(b"\r\n\r\n\r\n")
