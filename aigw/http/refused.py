"""A request that is refused before it could become an exchange."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aigw.errors import GatewayError
from aigw.model.headers import Headers

from .request import Head, glimpse

if TYPE_CHECKING:
    from .front import Front


@dataclass(slots=True)
class Refused:
    """
    What is known of it, for its record; ``""`` where it could not be made out.

    :ivar path: decoded where the head was understood, else the target's raw path.
    :ivar status: what it was answered with; 0 if no answer could be sent.
    :ivar sent: bytes of body that told why.
    """

    peer: str
    scheme: str
    method: str = ""
    path: str = ""
    host: str = ""
    headers: Headers = field(default_factory=list)
    status: int = 0
    sent: int = 0

    @classmethod
    def of(cls, head: Head | bytes, peer: str, scheme: str) -> Refused:
        """:param head: as it was understood, or bytes that could not be."""
        if isinstance(head, Head):
            return cls(peer, scheme, head.method, head.path, head.host, head.headers)
        return cls(peer, scheme, *glimpse(head))

    def answer(self, error: GatewayError, front: Front) -> bytes:
        """The complete answer that tells ``error``; the front's record hook is told."""
        status, headers, body = front.refuse(error, self.path)
        head, _ = front.replies.head(status, headers, b"connection: close\r\n\r\n")
        if self.method == "HEAD":
            body = b""
        self.status, self.sent = status, len(body)
        front.refused(self, error)
        return head + body
