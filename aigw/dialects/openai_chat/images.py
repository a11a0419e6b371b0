"""
Images in answers, for which the official API has no place: the extension ``images``,
which OpenRouter introduced (https://openrouter.ai/docs/features/multimodal/image-generation).
"""

from __future__ import annotations

from typing import Any

from aigw.dialects import data_uri

from . import chunk as chunks


def images_of(told: object) -> list[tuple[str, str]]:
    """Media types and base64 data; images that stand elsewhere are left out."""
    found = (
        data_uri.split(chunks.text(chunks.member(one.get("image_url"), "url")))
        for one in chunks.dicts(told)
    )
    return [one for one in found if one is not None]


def image(type: str, data: str) -> dict[str, Any]:
    """
    :param type: its media type; a bare ``image``, where that is all that is known,
        is taken for PNG.
    """
    url = data_uri.join(type if "/" in type else "image/png", data)
    return {"type": "image_url", "image_url": {"url": url}}
