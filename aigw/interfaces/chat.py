"""Dialects that can be converted into each other, through the neutral model."""

from __future__ import annotations

from typing import Any

from zope.interface import Attribute, Interface

from aigw.model.answer import Answer
from aigw.model.call import Call
from aigw.model.envelope import Envelope
from aigw.model.event import Event, Failed
from aigw.model.headers import Headers
from aigw.model.rendered import Rendered, Target

from .dialect import IDialect


class IReader(Interface):
    """
    Reads a provider's answer: frames of one dialect become neutral events. Lives as
    long as one answer. Called as ``feed*`` then ``end`` once for a stream; or ``whole``
    or ``problem`` once. Never raises on arbitrary content: what it cannot read it
    reports as ``Unknown``, or as ``Failed`` where nothing can follow.
    """

    def feed(frame: Any) -> list[Event]:
        """
        The events of one frame, at once: nothing is kept back. After ``Ended`` or
        ``Failed`` it gives none.
        """

    def end() -> list[Event]:
        """
        The stream has ended properly. Closes what is open; ``Ended`` where a finish
        reason was seen although the terminal frame was not. The caller takes a stream
        that never gave ``Ended`` as broken.
        """

    def whole(body: bytes) -> Answer | Failed:
        """A JSON answer; ``Failed`` for an error inside a 200, or what is no answer."""

    def problem(status: int, headers: Headers, body: bytes) -> Failed:
        """An error answer, whatever its body holds."""


class IWriter(Interface):
    """
    Writes an answer for a client: neutral events become frames of its dialect. Lives as
    long as one answer. Called as ``feed*`` then ``end`` once; or ``whole`` once.
    """

    def feed(event: Event) -> list[Any]:
        """
        The frames of one event, often none. After ``Failed`` no terminal frame is ever
        written.

        :raises AnswerTooLarge: its dialect wants more of the answer said again than can
            be kept. The caller feeds it ``Failed``.
        """

    def end() -> list[Any]:
        """
        No event will follow: the frames still owed. Where neither ``Ended`` nor
        ``Failed`` came there are none, and the caller tells the client an error.
        """

    def whole(answer: Answer) -> bytes:
        """The body of a JSON answer."""


class IChatDialect(IDialect):
    """A dialect that takes part in conversion; methods stand in the order of use."""

    can: frozenset[str] = Attribute(
        "What it can express, in the words of :mod:`aigw.model.feature`."
    )
    private_headers: tuple[bytes, ...] = Attribute(
        "Prefixes (lower case) of request fields that mean something to its own "
        "providers alone, and do not cross a conversion."
    )

    def parse(envelope: Envelope) -> Call:
        """
        The neutral form of a request known to be of this dialect.

        :raises BadRequest: a field is missing or of the wrong type; names its path.
        """

    def render(call: Call, target: Target) -> Rendered:
        """
        A call in this dialect, whichever dialect it came from.

        :raises BadRequest: it holds what this dialect cannot express and cannot be
            without; names the field.
        """

    def reader(rendered: Rendered) -> IReader:
        """A fresh reader of the answer to ``rendered``."""

    def writer(call: Call, now: float, request_id: str) -> IWriter:
        """
        A fresh writer of the answer to ``call``, for the client that sent it.

        :param call: it may come without its messages, which are held no longer than
            somebody may be asked.
        :param now: seconds since the epoch, for dialects whose answers are dated.
        :param request_id: our id, for dialects whose errors name it.
        """
