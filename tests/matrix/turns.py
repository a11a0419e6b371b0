"""What is asked of a model and what it tells, in no vendor's words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

#: The tools that every client defines: name to (description, JSON schema).
TOOLS: Final[Mapping[str, tuple[str, dict[str, Any]]]] = {
    "get_weather": (
        "The weather at a place.",
        {
            "type": "object",
            "properties": {"location": {"type": "string"}},
            "required": ["location"],
        },
    ),
    "get_time": (
        "The time in a zone.",
        {
            "type": "object",
            "properties": {"tz": {"type": "string"}},
            "required": ["tz"],
        },
    ),
}

#: What structured output is to look like, and its name where it needs one.
SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
SCHEMA_NAME: Final = "city"


@dataclass(frozen=True)
class Usage:
    """
    Tokens, in parts that do not overlap, but for ``reasoning``, which is part of
    ``output``.

    :ivar fresh: input that was not read from a cache.
    :ivar cached: input read from one.
    """

    fresh: int
    cached: int
    output: int
    reasoning: int | None = None


@dataclass
class Called:
    """
    One call of a tool.

    :ivar arguments: the JSON text, as it came.
    :ivar pieces: in how many pieces that held something.
    """

    id: str
    name: str
    arguments: str = ""
    pieces: int = 0

    def add(self, piece: str) -> None:
        """Another piece of the arguments."""
        self.arguments += piece
        self.pieces += bool(piece)


@dataclass
class Told:
    """
    One answer.

    :ivar pieces: in how many pieces the text came.
    :ivar stop: the client's own word.
    :ivar kept: what the client keeps of it for the next turn.
    """

    text: str = ""
    pieces: int = 0
    thought: str = ""
    calls: list[Called] = field(default_factory=list)
    stop: str = ""
    usage: Usage | None = None
    kept: Any = None


@dataclass(frozen=True)
class Asking:
    """
    One request.

    :ivar prompt: what the user says first.
    :ivar tools: whether :data:`TOOLS` are offered.
    :ivar image: a PNG behind the prompt.
    :ivar think: whether reasoning is asked for.
    :ivar schema: whether the answer is to keep to :data:`SCHEMA`.
    :ivar before: the answer before, whose prompt was the same.
    :ivar results: of the calls in ``before``, by their ids.
    :ivar then: what the user says after ``before``.
    """

    model: str
    prompt: str
    stream: bool = False
    tools: bool = False
    image: bytes = b""
    think: bool = False
    schema: bool = False
    before: Told | None = None
    results: Mapping[str, str] = field(default_factory=dict)
    then: str = ""

    def after(self, told: Told, model: str, **more: Any) -> Asking:
        """The next turn."""
        return replace(self, before=told, model=model, **more)

    def name_of(self, call: str) -> str:
        """The tool that the call of that id was of."""
        assert self.before is not None
        return next(one.name for one in self.before.calls if one.id == call)


@dataclass(frozen=True)
class Failure:
    """
    How a client reports an error.

    :ivar name: its class, and its code where the class says little.
    :ivar status: None where the client knows of none.
    """

    name: str
    status: int | None
    message: str


class Failed(Exception):
    """The client raised an error of its own."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(f"{failure.name} ({failure.status}): {failure.message}")
        self.failure = failure


@dataclass(frozen=True)
class Words:
    """
    How a client tells why an answer ended.

    :ivar stop: when it was complete.
    :ivar length: when its cap was reached.
    :ivar tool_calls: when it calls tools.
    :ivar filtered: when a filter broke it off; ``refusal`` when the model itself did.
    :ivar errors: what is raised, by the provider's status.
    :ivar overloaded: the status of the client's vendor where that is overloaded.
    :ivar broken: what is raised in a stream, by what went wrong: ``server`` or
        ``overloaded``; ``native`` where a provider of the same dialect tells it in
        another way than the gateway.
    """

    stop: str
    length: str
    tool_calls: str
    filtered: str
    refusal: str
    errors: Mapping[int, str]
    overloaded: int
    broken: Mapping[str, str]


class Client(Protocol):
    """
    An official client. One is made for each upstream and used by one thread.

    :ivar name: as the table calls it.
    :ivar dialect: what it speaks.
    """

    name: str
    dialect: str
    words: Words

    def ask(self, asking: Asking) -> Told:
        """:raises Failed: the client raised."""

    def count(self, model: str, prompt: str) -> int:
        """
        The tokens of a prompt, where the client's API counts them.

        :raises Failed: the client raised.
        """

    def close(self) -> None:
        """Close its connections."""
