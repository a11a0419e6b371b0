"""
The list of models, as the gateway itself answers it: one body that OpenAI's clients
(https://platform.openai.com/docs/api-reference/models) and Anthropic's
(https://docs.claude.com/en/api/models-list) both understand.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from aigw.errors import NotFound


def listed(models: Sequence[str], path: str) -> bytes:
    """
    The JSON that answers a request for ``path``.

    :param models: at least one name.
    :param path: ``/v1/models``, or that of one model below it.
    :raises NotFound: there is no such model.
    """
    wanted = path.removeprefix("/v1/models").removeprefix("/")
    if wanted:
        if wanted not in models:
            text = f"the model {wanted[:100]!r} does not exist"
            raise NotFound(text, kind="model_not_found")
        return msgspec.json.encode(_model(wanted))
    return msgspec.json.encode(
        {
            "object": "list",
            "data": [_model(name) for name in models],
            "has_more": False,
            "first_id": models[0],
            "last_id": models[-1],
        }
    )


def _model(name: str) -> dict[str, Any]:
    return {
        "id": name,
        "object": "model",
        "created": 0,
        "owned_by": "aigw",
        "type": "model",
        "display_name": name,
        "created_at": "1970-01-01T00:00:00Z",
    }
