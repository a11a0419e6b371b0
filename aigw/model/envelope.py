"""
The envelope: what the gateway reads of a request, and no more. Of a JSON body
that is the top level alone; every value there stays raw bytes until asked for.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from msgspec.structs import replace

from aigw.errors import BadRequest

from .headers import Headers
from .path import named_model


class _Key(str):
    """
    A top-level key that equals no other key, itself included, until unwrapped.

    msgspec keeps the last of repeated keys; most other parsers may keep the
    first. What we check must be what the provider reads, so repetition has to be
    seen: keys hashed by identity do not overwrite each other.
    """

    __slots__ = ()
    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other


def _unique(kind: type, value: object) -> object:
    return _Key(value)


_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_unequal = msgspec.json.Decoder(dict[_Key, msgspec.Raw], dec_hook=_unique)
_string = msgspec.json.Decoder(str)


def _compact(fields: dict[str, msgspec.Raw]) -> int:
    """
    The length of ``fields`` written without blanks and escapes. A body of that very
    length holds nothing else, so that no key of it is repeated: most clients write
    such bodies, and need not be looked at twice.
    """
    size = 1 + 4 * len(fields)  # two quotes, a colon, a comma or brace each
    for key, raw in fields.items():
        size += len(key) + len(raw)
    return size


def fields_of(body: bytes) -> dict[str, msgspec.Raw]:
    """
    The top level of a JSON object: name to raw value, in the body's order.

    :raises BadRequest: not UTF-8, not JSON, not an object, nested too deep, or a
        key is repeated (RFC 8259, section 4: behaviour then is unpredictable).
    """
    if not body:
        raise BadRequest("could not get body: request body is empty", key="message")
    try:
        if not body.isascii():
            body.decode()  # msgspec does not look inside what it skips
        fields = _fields.decode(body)
        if _compact(fields) == len(body):
            return fields
        pairs = _unequal.decode(body)
    except UnicodeDecodeError as error:
        raise _unparsable(f"invalid UTF-8 at byte {error.start}") from error
    except RecursionError as error:
        raise _unparsable("nested too deep") from error
    except msgspec.ValidationError as error:
        raise _unparsable("a JSON object is expected") from error
    except msgspec.DecodeError as error:
        raise _unparsable(str(error)) from error
    fields = {str(key): raw for key, raw in pairs.items()}
    if len(fields) != len(pairs):
        seen: set[str] = set()
        for key in map(str, pairs):
            if key in seen:
                raise _unparsable(f"the key {key[:64]!r} is repeated")
            seen.add(key)
    return fields


def _unparsable(why: str) -> BadRequest:
    return BadRequest(f"could not parse JSON request body: {why}", key="message")


class Envelope(msgspec.Struct):
    """
    One request as the gateway sees it.

    :ivar method: HTTP method.
    :ivar path: the path, percent-decoded once, without query.
    :ivar target: path and query as the client sent them.
    :ivar query: the raw query without ``?``, ``b""`` where there is none.
    :ivar headers: all header fields.
    :ivar body: the body's bytes, verbatim.
    :ivar fields: the body's top level; None where the body is not JSON (or absent).
    :ivar model: the model the client named, in the path or the body; ``""`` where it
        named none.
    :ivar stream: whether the client asked for a streamed answer.
    """

    method: str
    path: str
    target: bytes
    query: bytes
    headers: Headers
    body: bytes = b""
    fields: dict[str, msgspec.Raw] | None = None
    model: str = ""
    stream: bool = False

    def strip(self, own: Callable[[str], str]) -> None:
        """Let path and target begin where ``own`` says the dialect's own path does."""
        path = own(self.path)
        if path != self.path:
            raw, mark, query = self.target.partition(b"?")
            self.path = path
            self.target = own(raw.decode("ascii")).encode("ascii") + mark + query

    def closed(self) -> Envelope:
        """The request without fields and body; what was read of those stays."""
        return replace(self, headers=[], body=b"", fields=None)

    def open(self, body: bytes) -> None:
        """
        Read the JSON ``body`` into ``fields``, ``model`` and ``stream``.

        ``stream`` is true only for the literal ``true``, as every provider reads it.

        :raises BadRequest: see :func:`fields_of`.
        """
        self.body = body
        self.fields = fields = fields_of(body)
        raw = fields.get("model")
        if raw is not None:
            try:
                self.model = _string.decode(raw)
            except msgspec.MsgspecError:
                self.model = ""
        self.model = named_model(self.path) or self.model
        raw = fields.get("stream")
        self.stream = raw is not None and bytes(raw) == b"true"
