"""An answer that came whole, in neutral words."""

from __future__ import annotations

from dataclasses import dataclass

from .finish import Finish
from .part import Part, Rider
from .usage import Usage


@dataclass(frozen=True, slots=True)
class Choice:
    """
    One of the answers asked for.

    :ivar native: the provider's own word for why it finished.
    :ivar sequence: the stop sequence that was hit, None where none was.
    :ivar logprobs: in OpenAI's form, raw JSON; None where there are none.
    """

    index: int
    parts: tuple[Part, ...]
    finish: Finish
    native: str = ""
    sequence: str | None = None
    logprobs: bytes | None = None
    rider: Rider = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """
    :ivar origin: the dialect it was read from; riders mean something there alone.
    :ivar created: seconds since the epoch, 0 where not told.
    :ivar tier: the service tier that served it, in the provider's word.
    """

    origin: str
    choices: tuple[Choice, ...]
    id: str = ""
    model: str = ""
    created: int = 0
    tier: str = ""
    usage: Usage | None = None
    rider: Rider = ()
