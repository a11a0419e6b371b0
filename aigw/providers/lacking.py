"""
Which of OpenAI's endpoints a vendor is known not to have. Most vendors grow into that
API, and are asked; those here have another of their own, and a request there would be
answered in words that no client of OpenAI's reads.
"""

from __future__ import annotations

import re
from typing import Final

_OPENAIS: Final = (
    "assistants|audio|batches|completions|containers|conversations|evals|fine_tuning"
    "|images|moderations|realtime|rerank|threads|uploads|vector_stores|videos"
)

#: Anthropic keeps files of its own at ``/v1/files``
#: (https://docs.claude.com/en/api/files-create).
_LACKING: Final = {
    "anthropic": re.compile(rf"/v1/(?:{_OPENAIS})(?:/|\Z)"),
    "bedrock": re.compile(rf"/v1/(?:files|{_OPENAIS})(?:/|\Z)"),
    "vertex-ai": re.compile(rf"/v1/(?:files|{_OPENAIS})(?:/|\Z)"),
}


def lacks(provider: str, path: str) -> bool:
    """
    Whether nothing is at ``path`` of a provider.

    >>> lacks("anthropic", "/v1/audio/speech")
    True

    :param provider: its name in the configuration.
    """
    lacking = _LACKING.get(provider)
    return lacking is not None and lacking.match(path) is not None
