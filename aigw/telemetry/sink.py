"""
Where lines end: stdout, stderr or a file, written with blocking calls.

A sink is used by one thread at a time and never by the reactor's: a full pipe or a slow
disk blocks whoever writes.
"""

from __future__ import annotations

import os
import stat
from select import PIPE_BUF

from aigw.errors import ConfigError

_STANDARD = {"-": 1, "stderr": 2}


class Sink:
    """
    An open target of lines.

    :ivar path: ``-`` for stdout, ``stderr``, or a file's path (appended to, created
        with mode 0640).
    """

    def __init__(self, path: str) -> None:
        """:raises ConfigError: the file cannot be opened."""
        self.path = path
        self._torn = False
        try:
            self._fd = self._open()
        except OSError as error:
            raise ConfigError(
                [f"log.access.path: {path!r} cannot be opened: {error.strerror}"]
            ) from error

    def write(self, lines: bytes | bytearray) -> None:
        """
        Write whole lines; blocks until they are taken.

        Into a pipe, lines go in pieces of at most ``PIPE_BUF`` bytes where they fit,
        which the kernel keeps in one piece beside those of other processes (pipe(7));
        an append to a file is such a piece whatever its size.

        :raises OSError: not all was taken. The next write then begins on a new line.
        """
        if self._torn:
            lines = b"\n" + lines
        view = memoryview(lines)
        place = 0
        try:
            while place < len(view):
                end = self._piece(lines, place) if self._pipe else len(view)
                place += os.write(self._fd, view[place:end])
        finally:
            if place:
                self._torn = place < len(view) and lines[place - 1] != 10

    def reopen(self) -> None:
        """
        Open the path anew, so that a file moved away by log rotation is let go.

        :raises OSError: it cannot be opened; the old file stays in use.
        """
        if self.path not in _STANDARD:
            old, self._fd = self._fd, self._open()
            os.close(old)

    def close(self) -> None:
        """Let go of a file; standard streams stay open."""
        if self.path not in _STANDARD:
            os.close(self._fd)

    def _open(self) -> int:
        descriptor = _STANDARD.get(self.path)
        if descriptor is None:
            # Opening a pipe would wait for its reader; so it is an error to have none.
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
            descriptor = os.open(self.path, flags | os.O_NONBLOCK, 0o640)
            os.set_blocking(descriptor, True)
        self._pipe = stat.S_ISFIFO(os.fstat(descriptor).st_mode)
        return descriptor

    @staticmethod
    def _piece(lines: bytes | bytearray, place: int) -> int:
        """Where the next write into a pipe ends: behind the last line that fits."""
        if len(lines) - place <= PIPE_BUF:
            return len(lines)
        end = lines.rfind(b"\n", place, place + PIPE_BUF) + 1
        if end:
            return end
        return lines.find(b"\n", place) + 1 or len(lines)
