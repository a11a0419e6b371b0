"""
Vendors' APIs: where they are, what they want changed in a body, what their errors
mean. Pure: a provider makes an Outbound and judges an answer; others send and sign.
"""

from __future__ import annotations

from aigw.interfaces import IProvider

from . import anthropic, presets
from .anthropic import Anthropic
from .azure import Azure
from .bedrock import Bedrock
from .gemini import Gemini
from .openai import OpenAIStyle
from .vertex import Vertex

_ALL: tuple[IProvider, ...] = (
    *map(OpenAIStyle, presets.PRESETS),
    *map(Anthropic, anthropic.PRESETS),
    Azure(),
    Bedrock(),
    Gemini(),
    Vertex(),
)
_BUILT_IN: dict[str, IProvider] = {provider.name: provider for provider in _ALL}


def built_in() -> dict[str, IProvider]:
    """The providers this version has, by name."""
    return dict(_BUILT_IN)
