"""What no other dialect claims: relayed as it is, looked into for usage at most."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from zope.interface import implementer

from aigw.errors import GatewayError
from aigw.interfaces import IDialect, ITap
from aigw.model import sight as sights
from aigw.model.envelope import Envelope
from aigw.model.headers import Headers
from aigw.model.usage import Usage

from . import openai_error


@implementer(ITap)
class PassthroughTap:
    """Sees that there is something, never what."""

    marks: tuple[bytes, ...] = ()
    usage: Usage | None = None
    model = ""
    tool_calls = False
    finished = False
    error: Mapping[str, Any] | None = None

    def feed(self, frame: Any) -> int:
        return sights.CONTENT

    def whole(self, body: bytes) -> None:
        """A JSON answer may mean anything."""

    def text(self) -> str:
        return ""


@implementer(IDialect)
class Passthrough:
    """
    See the module. Its errors are shaped as OpenAI's, which most clients read.

    :param tap: makes what looks into answers; by itself nothing does.
    """

    name = "passthrough"
    framing = "sse"
    terminal = False

    def __init__(self, tap: Callable[[], ITap] = PassthroughTap) -> None:
        self._tap = tap

    def detect(self, envelope: Envelope) -> bool:
        return True

    def streams(self, envelope: Envelope) -> bool:
        return envelope.stream

    def tap(self, collect: bool = False) -> ITap:
        return self._tap()

    def problem(
        self, error: GatewayError, request_id: str
    ) -> tuple[int, Headers, bytes]:
        return openai_error.problem(error)

    def broken(self, error: GatewayError, request_id: str) -> list[Any]:
        return openai_error.broken(error)

    def prompt(self, envelope: Envelope) -> bytes | None:
        return None

    def tool_count(self, envelope: Envelope) -> int:
        return 0

    def end_user(self, envelope: Envelope) -> str:
        return ""
