"""What OpenAI's dialects ask for alike: names of tools and pictures by their URL."""

from __future__ import annotations

import re
from typing import Final

from .heard import Heard, contradicted, decoded
from .script import Refused

FUNCTION_NAME: Final = re.compile("[a-zA-Z0-9_-]+")
_DATA: Final = re.compile(r"data:(image/[\w.+-]+);base64,(.*)\Z", re.DOTALL)
_TYPES: Final = ("image/png", "image/jpeg", "image/gif", "image/webp")


def picture(url: object, where: str, heard: Heard) -> None:
    """
    A picture by its URL, ``data:`` or ``https:``.

    :param where: of the request it is.
    :raises Refused: it is none that could be looked at.
    """
    if not isinstance(url, str):
        said = f"Missing required parameter: '{where}'."
        raise Refused(400, said, "missing_required_parameter", where)
    if url.startswith(("http://", "https://")):
        heard.linked(url)
        return
    found = _DATA.match(url)
    if found is None:
        said = f"Invalid '{where}'. Expected a valid URL, but got a value with an "
        said += "invalid format."
        raise Refused(400, said, "invalid_value", where)
    kind, data = found[1], decoded(found[2])
    if data is None:
        said = f"Invalid '{where}'. Expected a base64-encoded data URL with an image "
        said += "MIME type, but got an invalid base64-encoded value."
        raise Refused(400, said, "invalid_base64", where)
    if kind not in _TYPES or contradicted(kind, data):
        said = "You uploaded an unsupported image. Please make sure your image has of "
        said += "one the following formats: ['png', 'jpeg', 'gif', 'webp']."
        raise Refused(400, said, "invalid_image_format", where)
    heard.media(kind, data)
