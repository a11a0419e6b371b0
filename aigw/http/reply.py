"""The heads of answers, as bytes."""

from __future__ import annotations

import re
from collections.abc import Callable
from email.utils import formatdate
from http import HTTPStatus
from typing import Final

from aigw.model.headers import Headers

#: Fields of the connection, and those this module writes itself.
_OWN: Final = frozenset(
    {
        b"connection",
        b"content-length",
        b"date",
        b"keep-alive",
        b"server",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
_REASONS: Final = {status.value: status.phrase for status in HTTPStatus}
_UNSAFE: Final = re.compile(rb"[\r\n\0]")

CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


class Replies:
    """
    Makes heads; one for a front. The first lines of each status are made once a second.

    :param time: seconds since 1970, for ``date``.
    """

    def __init__(self, time: Callable[[], float]) -> None:
        self._time = time
        self._second = -1
        self._starts: dict[int, bytes] = {}

    def head(
        self, status: int, headers: Headers, last: bytes
    ) -> tuple[bytes, int | None]:
        """
        A head without the empty line at its end.

        CR, LF and NUL in a value become blanks (RFC 9110, section 5.5): nobody can
        begin another field, or another answer, from inside one.

        :param last: complete lines that come behind the fields.
        :returns: the head, and the ``content-length`` among ``headers`` or None.
        """
        lines = [self._start(status)]
        length: int | None = None
        for pair in headers:
            if pair[0] in _OWN:
                if pair[0] != b"content-length":
                    continue
                length = int(pair[1])
                if status == 204:
                    continue
            lines.append(b"%b: %b\r\n" % pair)
        head = b"".join(lines)
        # Three lines are in the first piece.
        breaks = len(lines) + 2
        if head.count(b"\n") != breaks or head.count(b"\r") != breaks or b"\0" in head:
            clean = [(_UNSAFE.sub(b" ", n), _UNSAFE.sub(b" ", v)) for n, v in headers]
            return self.head(status, clean, last)
        return head + last, length

    def _start(self, status: int) -> bytes:
        second = int(self._time())
        if second != self._second:
            self._second = second
            self._starts.clear()
        start = self._starts.get(status)
        if start is None:
            reason = _REASONS.get(status, "")
            date = formatdate(second, usegmt=True)
            text = f"HTTP/1.1 {status} {reason}\r\nserver: aigw\r\ndate: {date}\r\n"
            start = self._starts[status] = text.encode("ascii")
        return start
