"""
The path of a request, made safe: what is matched is what every later reader, ours or
the provider's, takes it to be.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote_to_bytes

from aigw.errors import BadRequest

#: Targets whose path has no escape, no segment that begins with a dot and none that is
#: empty but the last: nothing to decode and nothing to refuse. "#" and blanks are out.
_PLAIN: Final = re.compile(
    rb"((?:/[A-Za-z0-9_~!$&'()*+,=:@-][A-Za-z0-9_.~!$&'()*+,=:@-]*+)*+/?)"
    rb"(?:\?([!\"$-~]*+))?\Z"
)
_VISIBLE: Final = re.compile(rb"[!\"$-~]*+\Z")
_BROKEN_ESCAPE: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_ENCODED_SLASH: Final = re.compile(r"%2[fF]")

#: Segments behind which a model's id stands. Ids may hold a slash (ARNs, "org/name"),
#: which clients send encoded; in any other segment an encoded slash is refused.
_BEFORE_ID: Final = frozenset({"model", "models"})


def safe_path(target: bytes) -> tuple[str, bytes]:
    """
    Take a request target (origin form, RFC 9112 section 3.2.1) apart.

    The path is percent-decoded once, as UTF-8. Refused, because two readers could take
    them for different paths: dot segments and empty segments in whatever spelling
    (``..``, ``%2e%2e``, ``..;x``, ``//``), backslashes, control characters, and an
    encoded slash in any segment but a model's id.

    :returns: the decoded path, and the raw query without ``?``.
    :raises BadRequest: the target is malformed, or refused.
    """
    plain = _PLAIN.match(target)
    if plain is not None and plain[1]:
        return plain[1].decode("ascii"), plain[2] or b""
    raw, _, query = target.partition(b"?")
    if not raw.startswith(b"/") or not _VISIBLE.match(target):
        raise _refused("it is not a path of visible ASCII characters")
    if _BROKEN_ESCAPE.search(raw):
        raise _refused("a % is not followed by two hexadecimal digits")
    try:
        path = unquote_to_bytes(raw).decode()
    except UnicodeDecodeError as error:
        raise _refused("it is not UTF-8") from error
    if _CONTROL.search(path) or "\\" in path:
        raise _refused("it holds a control character or a backslash")
    segments = path.split("/")[1:]
    if any(segment.split(";", 1)[0] in (".", "..") for segment in segments):
        raise _refused("it holds a dot segment")
    if "" in segments[:-1]:
        raise _refused("it holds an empty segment")
    before = ""
    for segment in raw.decode("ascii").split("/")[1:]:
        if before not in _BEFORE_ID and _ENCODED_SLASH.search(segment):
            raise _refused("it holds an encoded slash")
        before = segment
    return path, query


def _refused(why: str) -> BadRequest:
    return BadRequest(f"the request's path is refused: {why}", reason="path")


#: Bedrock's operations stand behind the model they ask, and so do Google's verbs.
#: Braces mark a place that is still to be filled in.
_ASKED: Final = re.compile(
    r"/model/([^{}]+)/(?:converse(?:-stream)?|invoke(?:-with-response-stream)?)/?\Z"
    r"|/(?:models|tunedModels)/([^{}]+):[A-Za-z]+/?\Z"
)


def named_model(path: str) -> str:
    """
    The model that a path names where the API has it there, ``""`` where it names none.

    >>> named_model("/model/amazon.nova-lite-v1:0/converse")
    'amazon.nova-lite-v1:0'

    :param path: a path as :func:`safe_path` gives it.
    """
    found = _ASKED.search(path)
    return "" if found is None else found[1] or found[2]


#: Prefix to what the dialects behind it begin with.
_PREFIXES: Final = {
    "/anthropic": re.compile(r"/v1/"),
    "/bedrock": re.compile(r"/model/"),
    "/genai": re.compile(r"/v1(?:alpha|beta)?[0-9]*/"),
}

#: What an OpenAI path begins with behind ``/v1``.
_OPENAI: Final = re.compile(
    r"/(?:chat/completions|completions|responses|embeddings|models|moderations|images"
    r"|audio|files|batches|uploads|fine_tuning|vector_stores|rerank|realtime"
    r"|assistants|threads|conversations|containers|evals|videos)(?=/|\Z)"
)


def own_path(path: str) -> str:
    """
    The dialect's own path of a request to a route that has ``strip_prefix``:
    ``/anthropic``, ``/openai``, ``/bedrock`` and ``/genai`` before it are taken away,
    and ``/v1`` is put before an OpenAI path without it. Any other path stays as it is.

    >>> own_path("/openai/chat/completions")
    '/v1/chat/completions'

    :param path: a path as :func:`safe_path` gives it.
    """
    if _OPENAI.match(path):
        return f"/v1{path}"
    cut = path.find("/", 1)
    if cut < 0:
        return path
    prefix, rest = path[:cut], path[cut:]
    if prefix == "/openai":
        if rest.startswith("/v1/"):
            return rest
        return f"/v1{rest}" if _OPENAI.match(rest) else path
    begins = _PREFIXES.get(prefix)
    return rest if begins is not None and begins.match(rest) else path
