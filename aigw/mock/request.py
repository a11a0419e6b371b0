"""
Reads HTTP/1.1 requests off a byte stream, sans-IO and tolerant: what a gateway sends is
to be looked at by tests, not judged here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

_HEAD_END: Final = re.compile(rb"\r?\n\r?\n")
_MOST_HEAD: Final = 1 << 20


class NotHTTP(ValueError):
    """The bytes are no request that could be read."""


@dataclass(frozen=True, slots=True)
class Request:
    """
    One request, as it came.

    :ivar head: the bytes of request line and header fields.
    :ivar line: the request line, without its end.
    :ivar headers: (name, value) as sent, in order.
    :ivar body: the body without chunked coding.
    """

    head: bytes
    line: bytes
    method: str
    target: str
    version: str
    headers: list[tuple[bytes, bytes]]
    body: bytes

    def field(self, name: bytes) -> bytes | None:
        """The first value of ``name`` (lower case), or None."""
        for key, value in self.headers:
            if key.lower() == name:
                return value
        return None

    @property
    def path(self) -> str:
        """The target's path, still percent-encoded; of an absolute form too."""
        target = self.target
        if target.startswith(("http://", "https://")):
            target = "/" + target.split("/", 3)[3] if target.count("/") > 2 else "/"
        return target.split("?", 1)[0]

    @property
    def query(self) -> str:
        """What follows the first question mark."""
        return self.target.partition("?")[2]

    @property
    def keep_alive(self) -> bool:
        """Whether the client would use the connection again."""
        said = (self.field(b"connection") or b"").lower()
        if self.version == "HTTP/1.0":
            return b"keep-alive" in said
        return b"close" not in said


class RequestReader:
    """One connection's requests."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._searched = 0
        self._head: Request | None = None  # its body still to come
        self._length = 0
        self._chunked = False
        self._body = bytearray()
        self._trailers = False

    def feed(self, data: bytes) -> list[Request]:
        """
        Take bytes; the requests they complete, in order.

        :raises NotHTTP: and the connection is of no more use.
        """
        self._buffer += data
        requests: list[Request] = []
        while True:
            if self._head is None:
                self._read_head()
            if self._head is None:
                return requests
            body = self._read_chunks() if self._chunked else self._read_length()
            if body is None:
                return requests
            requests.append(replace(self._head, body=body))
            self._head = None

    def _read_head(self) -> None:
        buffer = self._buffer
        while buffer.startswith((b"\r", b"\n")):
            del buffer[:1]
        found = _HEAD_END.search(buffer, max(0, self._searched - 3))
        if found is None:
            self._searched = len(buffer)
            if self._searched > _MOST_HEAD:
                raise NotHTTP("the head has no end")
            return
        head = bytes(buffer[: found.end()])
        del buffer[: found.end()]
        self._searched = 0
        line, *rest = head[: found.start()].split(b"\n")
        line = line.rstrip(b"\r")
        words = line.decode("latin-1").split(" ")
        if len(words) != 3 or not words[2].startswith("HTTP/1."):
            raise NotHTTP(f"not a request line: {line!r}")
        method, target, version = words
        headers = []
        for field in rest:
            name, colon, value = field.partition(b":")
            if not colon:
                raise NotHTTP(f"not a header field: {field!r}")
            headers.append((name, value.strip(b" \t\r")))
        request = Request(head, line, method, target, version, headers, b"")
        coding = (request.field(b"transfer-encoding") or b"").lower()
        self._chunked = coding == b"chunked"
        length = request.field(b"content-length") or b"0"
        if not length.isdigit():
            raise NotHTTP(f"not a length: {length!r}")
        self._length = int(length)
        self._head = request
        self._body = bytearray()
        self._trailers = False

    def _read_length(self) -> bytes | None:
        if len(self._buffer) < self._length:
            return None
        body = bytes(self._buffer[: self._length])
        del self._buffer[: self._length]
        return body

    def _read_chunks(self) -> bytes | None:
        buffer = self._buffer
        while True:
            end = buffer.find(b"\n")
            if end < 0:
                return None
            line = bytes(buffer[:end]).rstrip(b"\r")
            if self._trailers:
                del buffer[: end + 1]
                if not line:
                    return bytes(self._body)
                continue
            try:
                size = int(line.split(b";", 1)[0].strip(), 16)
            except ValueError as error:
                raise NotHTTP(f"not a chunk size: {line!r}") from error
            if size == 0:
                del buffer[: end + 1]
                self._trailers = True
                continue
            after = end + 1 + size
            close = buffer.find(b"\n", after, after + 2)
            if close < 0:
                if len(buffer) >= after + 2:
                    raise NotHTTP("a chunk is longer than its size says")
                return None
            self._body += buffer[end + 1 : after]
            del buffer[: close + 1]
