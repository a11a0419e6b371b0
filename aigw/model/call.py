"""A call of a model: one request in neutral words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from .part import Cache, Part, Rider
from .tool import Hosted, Tool, ToolChoice

Role = Literal["system", "developer", "user", "assistant", "tool"]


@dataclass(frozen=True, slots=True)
class Message:
    """
    One turn. Where a dialect keeps the system text apart, it is the first message.

    :ivar role: ``tool`` holds nothing but results; ``user`` may hold some too.
    :ivar name: the participant's name, ``""`` for none.
    :ivar at: where it stands in the client's body, for error messages.
    """

    role: Role
    parts: tuple[Part, ...]
    name: str = ""
    cache: Cache | None = None
    rider: Rider = ()
    at: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Reasoning:
    """
    How much the model is to think before it answers.

    :ivar mode: ``on``, ``off``, ``adaptive`` (as it sees fit); ``""`` where only an
        effort is told.
    :ivar effort: none, minimal, low, medium, high, xhigh, max; ``""`` where not told.
    :ivar budget: the most tokens to think with, None where not told.
    :ivar show: how reasoning is to be shown, in the dialect's own word.
    """

    mode: Literal["", "on", "off", "adaptive"] = ""
    effort: str = ""
    budget: int | None = None
    show: str = ""
    rider: Rider = ()


@dataclass(frozen=True, slots=True)
class Format:
    """
    The form the answer must have.

    :ivar kind: ``text``, ``json`` (any object) or ``schema``.
    :ivar schema: JSON Schema as raw JSON, where ``kind`` is ``schema``.
    """

    kind: Literal["text", "json", "schema"]
    schema: bytes = b""
    name: str = ""
    description: str = ""
    strict: bool | None = None
    rider: Rider = ()


@dataclass(frozen=True, slots=True)
class Call:
    """
    One request. None (or an empty tuple or string) means: the client said nothing, and
    nothing is said to the provider.

    :ivar origin: the dialect it was parsed from; riders mean something there alone.
    :ivar max_tokens: the most output tokens, reasoning included where the vendor counts
        it so.
    :ivar parallel: whether several tools may be called at once.
    :ivar n: how many answers are wanted.
    :ivar logprobs: how many alternatives a token's log probabilities list; 0 lists none
        but the token's own; None wants no log probabilities.
    :ivar metadata: a JSON object the client attached, raw.
    :ivar cache: caching asked for the request as a whole.
    :ivar include_usage: whether the client asked for usage in the stream, in a dialect
        where that must be asked for.
    :ivar needs: fields among the riders without which the answer would be wrong: other
        dialects refuse the call, naming the first.
    """

    origin: str
    model: str
    messages: tuple[Message, ...]
    stream: bool = False
    include_usage: bool = False
    tools: tuple[Tool | Hosted, ...] = ()
    tool_choice: ToolChoice | None = None
    parallel: bool | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    logit_bias: bytes | None = None
    n: int | None = None
    logprobs: int | None = None
    reasoning: Reasoning | None = None
    format: Format | None = None
    user: str = ""
    metadata: bytes | None = None
    service_tier: str = ""
    cache: Cache | None = None
    rider: Rider = ()
    needs: tuple[str, ...] = ()
