"""
Why a feature is not there for a pair, or not all of it, in words for readers of the
table.
"""

from __future__ import annotations

from typing import Final

#: Numbered from 1 in the table, in this order.
REASONS: Final = (
    NO_COUNT := "Chat Completions has no request that counts tokens.",
    COUNT_NATIVE := "Tokens are counted by providers of the client's own dialect.",
    EXTENDED := (
        "Text and signatures travel in `reasoning_content` and `reasoning_details`, to "
        "and from providers that have them; here OpenRouter. OpenAI's have neither."
    ),
    UNREDACTED := "This API marks no reasoning as redacted.",
    UNASKED := (
        "The signature is kept. The reasoning's text is not shown: OpenAI sums it up "
        "for who asks, and Chat Completions has no words to ask."
    ),
    TEXT_SIGNED := (
        "The signatures of reasoning and of calls are kept. Gemini's signature of a "
        "plain text, which Google does not ask back, is not."
    ),
)


def vendor(dialect: str) -> str:
    """Whose API a dialect is of, where several are of one."""
    return dialect.replace("bedrock-invoke", "bedrock-converse")


def reason(client: str, upstream: str, feature: str) -> str:
    """
    Why ``feature`` cannot be had; "" if it can.

    :param client: the client's dialect.
    :param upstream: the provider's.
    """
    if feature == "counting":
        if client == "openai-chat":
            return NO_COUNT
        if vendor(client) != vendor(upstream):
            return COUNT_NATIVE
    if feature == "redacted" and upstream in (
        "openai-chat",
        "openai-responses",
        "gemini",
    ):
        return UNREDACTED
    return ""


def note(client: str, upstream: str, feature: str) -> str:
    """What is to be said of ``feature`` though it can be had; "" if nothing."""
    if feature != "reasoning":
        return ""
    if upstream == "openai-chat":
        return EXTENDED
    if (client, upstream) == ("openai-chat", "openai-responses"):
        return UNASKED
    if upstream == "gemini" and client not in ("openai-chat", "gemini"):
        return TEXT_SIGNED
    return ""
