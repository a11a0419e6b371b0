"""Dialects: wire APIs for talking to models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zope.interface import Attribute, Interface

from aigw.errors import GatewayError
from aigw.model.envelope import Envelope
from aigw.model.headers import Headers
from aigw.model.usage import Usage


class ITap(Interface):
    """
    Looks into the answers of one dialect as they pass, without changing them; lives as
    long as one answer. Called as ``feed*`` for a stream, or ``whole`` once for a JSON
    answer. Never raises on arbitrary content: what it cannot read it does not see.
    """

    marks: tuple[bytes, ...] = Attribute(
        "Once content was seen, a run of whole frames in which none of these stands "
        "need not be fed: it holds content and nothing else this tap is after. It may "
        "shrink as the tap learns; look at it each time."
    )
    usage: Usage | None = Attribute("What was used, as far as it was told.")
    model: str = Attribute("The model that answered, '' until told.")
    tool_calls: bool = Attribute("Whether the model called a tool.")
    finished: bool = Attribute("Whether a finish (stop) reason was seen.")
    error: Mapping[str, Any] | None = Attribute("The first error seen in the stream.")

    def feed(frame: Any) -> int:
        """Look at one frame; returns bits of :mod:`aigw.model.sight`."""

    def whole(body: bytes) -> None:
        """Look at a complete JSON answer."""

    def text() -> str:
        """The text of the answer so far, if this tap collects it; else ''."""


class IDialect(Interface):
    """
    A wire API: openai-chat, anthropic-messages… One instance serves the process and
    keeps no state of an exchange. What looks at a request raises nothing, whatever its
    body holds, and changes nothing.
    """

    name: str = Attribute("The reference's name of it, e.g. ``openai-chat``.")
    framing: str = Attribute("The framing of its streams, '' where it never streams.")
    terminal: bool = Attribute("Whether its streams end with a terminal frame.")

    def detect(envelope: Envelope) -> bool:
        """Whether this request is of this dialect. Asked in the order of detect.py."""

    def streams(envelope: Envelope) -> bool:
        """Whether this request, known to be of this dialect, asks for a stream."""

    def tap(collect: bool = False) -> ITap:
        """A fresh tap. ``collect`` asks it to keep the answer's text."""

    def problem(error: GatewayError, request_id: str) -> tuple[int, Headers, bytes]:
        """
        An error as this dialect's clients expect it: status (of the error's own class,
        4xx or 5xx), headers, a JSON object. It says ``message`` and never ``detail``.
        """

    def broken(error: GatewayError, request_id: str) -> list[Any]:
        """The frames that tell an error in a stream begun; no terminal frame."""

    def prompt(envelope: Envelope) -> bytes | None:
        """The raw JSON of the request's messages (or input), for payload logging."""

    def tool_count(envelope: Envelope) -> int:
        """How many tools the request defines."""

    def end_user(envelope: Envelope) -> str:
        """The id the request gives its end user, ``""`` where it gives none."""
