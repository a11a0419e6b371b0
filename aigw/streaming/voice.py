"""What a relay itself may say in the client's stream."""

from __future__ import annotations

from typing import Protocol

from aigw.errors import GatewayError


class Voice(Protocol):
    """Gives whole frames, in the framing and the dialect of the client's stream."""

    def ping(self) -> bytes | None:
        """A heartbeat, or None where the framing has none."""

    def broken(self, error: GatewayError) -> bytes:
        """The frame that tells an error; ``b""`` where none can be sent."""
