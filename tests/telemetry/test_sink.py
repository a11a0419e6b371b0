"""Lines end up whole in files and pipes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from aigw.errors import ConfigError
from aigw.telemetry.sink import Sink


def test_lines_are_appended_to_a_file_only_its_owner_and_group_can_read(
    tmp_path: Path,
) -> None:
    path = tmp_path / "access.log"
    path.write_bytes(b"old\n")
    path.chmod(0o600)
    sink = Sink(str(path))
    sink.write(b"a\nb\n")
    sink.write(b"c\n")
    sink.close()
    assert path.read_bytes() == b"old\na\nb\nc\n"
    new = tmp_path / "new.log"
    Sink(str(new)).close()
    assert new.stat().st_mode & 0o137 == 0


def test_a_file_that_cannot_be_opened_is_told_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"log\.access\.path: .*none/access"):
        Sink(str(tmp_path / "none" / "access.log"))


def test_reopen_follows_log_rotation(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    sink = Sink(str(path))
    sink.write(b"one\n")
    path.rename(tmp_path / "access.log.1")
    sink.write(b"two\n")
    sink.reopen()
    sink.write(b"three\n")
    sink.close()
    assert (tmp_path / "access.log.1").read_bytes() == b"one\ntwo\n"
    assert path.read_bytes() == b"three\n"


def test_a_failed_reopen_keeps_the_old_file(tmp_path: Path) -> None:
    directory = tmp_path / "logs"
    directory.mkdir()
    sink = Sink(str(directory / "access.log"))
    directory.rename(tmp_path / "moved")
    with pytest.raises(FileNotFoundError):
        sink.reopen()
    sink.write(b"still here\n")
    sink.close()
    assert (tmp_path / "moved" / "access.log").read_bytes() == b"still here\n"


def test_into_a_pipe_go_whole_lines_that_the_kernel_keeps_together() -> None:
    # A pipe in packet mode (pipe(2), O_DIRECT) gives back each write by itself.
    reader, writer = os.pipe2(os.O_DIRECT | os.O_NONBLOCK)
    sink = Sink(f"/dev/fd/{writer}")
    os.dup2(writer, sink._fd)
    os.close(writer)
    line = b"x" * 1500 + b"\n"
    long = b"y" * 6000 + b"\n"
    sink.write(line * 5 + long + line)
    sink.close()
    pieces = []
    while piece := os.read(reader, 100_000):
        pieces.append(piece)
    os.close(reader)
    assert b"".join(pieces) == line * 5 + long + line
    assert pieces[:3] == [line * 2, line * 2, line]
    assert pieces[-1] == line


def closed_meanwhile(sink: Sink) -> None:
    """A write of which nothing is taken."""
    descriptor, sink._fd = sink._fd, -1
    try:
        sink.write(b"lost\n")
    finally:
        sink._fd = descriptor


def test_a_pipe_without_a_reader_is_told_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(ConfigError, match="No such device"):
        Sink(str(tmp_path / "fifo"))


def test_after_a_torn_line_the_next_begins_on_its_own(tmp_path: Path) -> None:
    # A pipe without a reader refuses the rest of a write it had begun to take.
    reader, writer = os.pipe()
    sink = Sink(f"/dev/fd/{writer}")
    os.set_blocking(sink._fd, False)
    os.close(writer)
    long = b"z" * 200_000 + b"\n"
    with pytest.raises(BlockingIOError):
        sink.write(long)
    torn = os.read(reader, 200_000)
    with pytest.raises(OSError, match="Bad file descriptor"):
        closed_meanwhile(sink)
    os.set_blocking(sink._fd, True)
    sink.write(b"next\n")
    assert set(torn) == {ord("z")}
    assert os.read(reader, 100) == b"\nnext\n"
    sink.close()
    os.close(reader)


def test_standard_streams_are_never_closed() -> None:
    sink = Sink("stderr")
    sink.reopen()
    sink.close()
    os.fstat(2)
