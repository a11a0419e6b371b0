"""
OpenAI's chat completions, the dialect most servers speak
(https://platform.openai.com/docs/api-reference/chat).
"""

from .dialect import OpenAIChat

__all__ = ["OpenAIChat"]
