"""What of a connection only the kernel can tell, asked below TLS and PROXY."""

from __future__ import annotations

import select
from array import array
from fcntl import ioctl
from termios import TIOCOUTQ
from typing import Any, Final

from twisted.protocols.policies import ProtocolWrapper

#: Linux tells a FIN even while data before it is unread; elsewhere only a loss shows.
_GONE: Final = (
    getattr(select, "POLLRDHUP", 0) | select.POLLHUP | select.POLLERR | select.POLLNVAL
)


def bottom(transport: Any) -> Any:
    """The transport below all wrappers: the socket's own, or one in memory."""
    while isinstance(transport, ProtocolWrapper):
        transport = transport.transport
    return transport


def has_left(transport: Any) -> bool:
    """
    Whether the peer has closed or reset a connection that is not being read. Its FIN
    may be hidden while it still has unsent data for a window that is full.
    """
    number = _fileno(transport)
    if number < 0:
        return False
    poll = select.poll()
    poll.register(number, _GONE)
    return bool(poll.poll(0))


def unsent(transport: Any) -> int:
    """Bytes the kernel holds that the peer has not acknowledged; 0 where unknown."""
    number = _fileno(transport)
    if number < 0:
        return 0
    size = array("i", [0])
    try:
        ioctl(number, TIOCOUTQ, size)
    except OSError:
        return 0
    return size[0]


def _fileno(transport: Any) -> int:
    fileno = getattr(bottom(transport), "fileno", None)
    return -1 if fileno is None else fileno()
