"""OpenAI's Responses (https://platform.openai.com/docs/api-reference/responses)."""

from .dialect import OpenAIResponses

__all__ = ["OpenAIResponses"]
