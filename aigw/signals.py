"""The signals of a process of ours, beside those the reactor takes."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any


def on_hang_up(call: Callable[[], None], from_thread: Callable[..., Any]) -> None:
    """
    Have SIGHUP make ``call``.

    :param from_thread: the reactor's ``callFromThread``: a signal comes at any time.
    """
    signal.signal(signal.SIGHUP, lambda number, frame: from_thread(call))


def stopping() -> None:
    """
    The process is stopping: SIGTERM and SIGINT say nothing new. They come twice where
    systemd tells every process of a unit, and a parent tells its workers; to the
    reactor a second stop is an error.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, frame: None)
