"""What an answer used, in tokens, as exclusive parts."""

from __future__ import annotations

import msgspec


class Usage(msgspec.Struct, frozen=True):
    """
    Tokens of one answer. The input parts exclude each other, so that they may
    be priced apart and summed; a dialect computes its vendor's totals from them.

    :ivar input: input tokens neither read from nor written to a cache.
    :ivar cache_read: input tokens read from the provider's prompt cache.
    :ivar cache_write: input tokens written to it.
    :ivar output: output tokens, reasoning included.
    :ivar reasoning: the part of ``output`` that was reasoning.
    :ivar total: the provider's own total where it gave one, else None.
    """

    input: int = 0
    cache_read: int = 0
    cache_write: int = 0
    output: int = 0
    reasoning: int = 0
    total: int | None = None

    @property
    def prompt(self) -> int:
        """All input tokens, cached ones included."""
        return self.input + self.cache_read + self.cache_write

    def __add__(self, other: Usage) -> Usage:
        """What two attempts used together."""
        told = self.total is not None or other.total is not None
        return Usage(
            input=self.input + other.input,
            cache_read=self.cache_read + other.cache_read,
            cache_write=self.cache_write + other.cache_write,
            output=self.output + other.output,
            reasoning=self.reasoning + other.reasoning,
            total=self.all + other.all if told else None,
        )

    @property
    def all(self) -> int:
        """The provider's total, raised to prompt + output where that is larger."""
        return max(self.total or 0, self.prompt + self.output)
