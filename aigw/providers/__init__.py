"""
Vendors' APIs: where they are, what they want changed in a body, what their errors
mean. Pure: a provider makes an Outbound and judges an answer; others send and sign.
"""

from __future__ import annotations

from aigw.interfaces import IProvider

from .openai import OpenAIStyle
from .presets import PRESETS

_BUILT_IN: dict[str, IProvider] = {
    preset.name: OpenAIStyle(preset) for preset in PRESETS
}


def built_in() -> dict[str, IProvider]:
    """The providers this version has, by name."""
    return dict(_BUILT_IN)
