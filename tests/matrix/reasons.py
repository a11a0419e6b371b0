"""Why a feature is not there for a pair, in words for the table's reader."""

from __future__ import annotations

from typing import Final

#: Numbered from 1 in the table, in this order.
REASONS: Final = (
    NO_COUNT := "Chat Completions has no request that counts tokens.",
    COUNT_NATIVE := "Tokens are counted by providers of the client's own dialect.",
    UNSIGNED := "Chat Completions has no signed reasoning.",
)


def reason(client: str, upstream: str, feature: str) -> str:
    """
    Why ``feature`` cannot be had; "" if it can.

    :param client: the client's dialect.
    :param upstream: the provider's.
    """
    if feature == "counting":
        if client == "openai-chat":
            return NO_COUNT
        if client != upstream:
            return COUNT_NATIVE
    if feature == "reasoning" and upstream == "openai-chat":
        return UNSIGNED
    return ""
