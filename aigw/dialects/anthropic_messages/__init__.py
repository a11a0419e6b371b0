"""Anthropic's Messages (https://platform.claude.com/docs/en/api/messages)."""

from .dialect import AnthropicMessages

__all__ = ["AnthropicMessages"]
