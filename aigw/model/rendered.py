"""A call in the words of a target dialect, and for whom it was rendered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .headers import Headers


@dataclass(frozen=True, slots=True)
class Target:
    """
    Who a call is rendered for, as far as that changes the words.

    :ivar model: the model asked of the provider; ``""`` keeps the call's.
    :ivar max_tokens: the output cap where the dialect demands one and the call has
        none.
    :ivar cap: the name of that cap in dialects that have two (openai-chat).
    :ivar extensions: documented extensions of the dialect that the provider takes:
        ``reasoning_details`` (openai-chat: signed reasoning may be sent back),
        ``reasoning_content`` (openai-chat: unsigned reasoning must be sent back),
        ``extra_content`` (openai-chat: a call's signature stands on it, as Google's),
        ``file`` (openai-chat: documents are files, not taken for images),
        ``text_results`` (openai-chat: results of tools are text; their media follow).
    """

    model: str = ""
    max_tokens: int = 8192
    cap: str = "max_completion_tokens"
    extensions: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Rendered:
    """
    :ivar body: the request's JSON.
    :ivar headers: fields to add to the request.
    :ivar names: tool names as sent to those of the call, where they differ; a reader
        restores them.
    :ivar dropped: paths of what the target cannot carry, indexes left out; what was
        changed to fit stands there as ``path (clamped)``.
    """

    body: bytes
    model: str = ""
    headers: Headers = field(default_factory=list)
    names: Mapping[str, str] = field(default_factory=dict)
    dropped: tuple[str, ...] = ()
