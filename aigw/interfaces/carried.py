"""Dialects whose bodies are another one's: the same words in another envelope."""

from __future__ import annotations

from typing import Any

from zope.interface import Attribute

from aigw.model.envelope import Envelope
from aigw.model.usage import Usage

from .chat import IChatDialect


class ICarriedDialect(IChatDialect):
    """
    A dialect that carries another's bodies: Anthropic's Messages within Bedrock's
    invoke operations, or as Vertex AI's raw predictions. Between two that carry the
    same, or one and what it carries, nothing is converted: bodies lose one envelope and
    get another, their values stay the bytes they were.

    ``parse`` gives calls whose origin is the dialect carried.
    """

    carries: str = Attribute("The name of the dialect of its bodies.")

    def opened(envelope: Envelope) -> Envelope:
        """
        A request of this dialect as one of the dialect carried, at no path.

        :param envelope: not changed.
        :raises BadRequest: its body is not of the dialect carried.
        """

    def closed(envelope: Envelope) -> Envelope:
        """
        A request of the dialect carried as one of this. It still names its model, and
        whether it asks for a stream, in its body, as one to a path with ``{model}``.

        :param envelope: not changed.
        """

    def unwrap(frame: Any) -> Any:
        """
        The frame of the dialect carried that a frame holds; None where it holds none,
        and a reader is to say what it means.
        """

    def wrap(frame: Any, usage: Usage | None) -> Any:
        """
        The frame that holds one of the dialect carried; None for one that this dialect
        does not have.

        :param usage: what is known to be used, for a dialect that tells it itself.
        """
