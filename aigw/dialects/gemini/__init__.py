"""
Gemini's generateContent and streamGenerateContent
(https://ai.google.dev/api/generate-content).
"""

from .dialect import Gemini

__all__ = ["Gemini"]
