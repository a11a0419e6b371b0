"""
What the gateway changes in a request body, in the reference's order (section 1.4).

A body is never decoded as a tree: only its top level is, as a map of raw values, and
only where an override reaches deeper is a nested object opened. What nothing changes
goes to the provider byte for byte, so that prompt caches keep matching and numbers
keep their digits.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from aigw.model.instance import Instance

from .presets import Preset

Fields = dict[str, msgspec.Raw]

_object = msgspec.json.Decoder(Fields)
_encode = msgspec.json.encode
_TRUE = b"true"
_NULL = b"null"


class Body:
    """
    The top level of a body, and whether anything in it was changed.

    :ivar asked_usage: whether usage was added to ``stream_options`` by us.
    """

    __slots__ = ("_fields", "_source", "asked_usage", "changed")

    def __init__(self, fields: Fields, source: bytes) -> None:
        self._fields = fields  # the envelope's own until something changes
        self._source = source
        self.changed = False
        self.asked_usage = False

    def encode(self) -> bytes:
        """The bytes to send: the client's own where nothing changed."""
        return _encode(self._fields) if self.changed else self._source

    def differs(self, name: str, fields: Fields) -> bool:
        """Whether the top-level value of that name is another than in ``fields``."""
        return self.changed and self._fields.get(name) is not fields.get(name)

    def string(self, name: str) -> str:
        """A top-level string, ``""`` where there is none of that name."""
        try:
            value = msgspec.json.decode(self._fields[name])
        except (KeyError, msgspec.DecodeError):
            return ""
        return value if isinstance(value, str) else ""

    def true(self, name: str) -> bool:
        """Whether a top-level value is the literal ``true``."""
        raw = self._fields.get(name)
        return raw is not None and bytes(raw) == _TRUE

    def set(self, name: str, value: Any) -> None:
        raw = value if isinstance(value, msgspec.Raw) else msgspec.Raw(_encode(value))
        old = self._fields.get(name)
        if old is None or bytes(old) != bytes(raw):
            self._own()[name] = raw

    def remove(self, name: str) -> None:
        if name in self._fields:
            del self._own()[name]

    def ask_usage(self) -> None:
        """
        Have the provider report usage at the end of a chat stream
        (``stream_options.include_usage`` of OpenAI's chat completions). Other members
        of ``stream_options`` stay; where it is no object it is left for the provider
        to complain about.
        """
        raw = self._fields.get("stream_options")
        if raw is None or bytes(raw) == _NULL:
            options: Fields = {}
        else:
            try:
                options = _object.decode(raw)
            except msgspec.MsgspecError:
                return
            asked = options.get("include_usage")
            if asked is not None and bytes(asked) == _TRUE:
                return
        self.set("stream_options", {**options, "include_usage": True})
        self.asked_usage = True

    def merge(self, partial: Mapping[str, Any], force: bool) -> None:
        """
        Merge ``partial``: objects recurse, anything else replaces as a whole. Without
        ``force`` only absent keys are filled; a client's ``null`` counts as present.
        """
        merged = _merged(self._fields, partial, force)
        if merged is not None:
            self._fields = merged
            self.changed = True

    def _own(self) -> Fields:
        """The fields, to be changed."""
        if not self.changed:
            self._fields = dict(self._fields)
            self.changed = True
        return self._fields


def _merged(fields: Fields, partial: Mapping[str, Any], force: bool) -> Fields | None:
    """``fields`` with ``partial`` merged in; None where that changes nothing."""
    result = dict(fields)
    changed = False
    for name, value in partial.items():
        old = result.get(name)
        if old is None:
            result[name] = msgspec.Raw(_encode(value))
            changed = True
            continue
        if isinstance(value, Mapping) and memoryview(old)[0] == ord("{"):
            inner = _merged(_object.decode(old), value, force)
            if inner is not None:
                result[name] = msgspec.Raw(_encode(inner))
                changed = True
            continue
        if force:
            raw = _encode(value)
            if bytes(old) != raw:
                result[name] = msgspec.Raw(raw)
                changed = True
    return result if changed else None


def build(
    fields: Fields,
    source: bytes,
    dialect: str,
    instance: Instance,
    preset: Preset,
    removes: tuple[str, ...] = (),
) -> Body:
    """
    Apply the reference's steps. One is ordered by sense rather than by the reference:
    whether the answer streams is judged by ``options`` too, so that a forced stream is
    metered like an asked one.

    :param removes: fields that are not sent, whoever wrote them.
    """
    body = Body(fields, source)
    options = instance.options
    asks = preset.asks_usage and instance.streaming.usage != "client"
    if dialect == "openai-chat" and asks:
        streams = options["stream"] is True if "stream" in options else None
        if body.true("stream") if streams is None else streams:
            body.ask_usage()
    for name, value in options.items():
        if name not in removes:
            body.set(name, value)
    cap = preset.caps.get(dialect)
    if cap is not None and instance.max_tokens is not None:
        outer, _, inner = cap.partition(".")
        if inner:
            body.merge({outer: {inner: instance.max_tokens}}, force=True)
        else:
            body.set(cap, instance.max_tokens)
        renamed = preset.renames.get(dialect)
        if renamed is not None:
            body.remove(renamed)
    partial = instance.request_body.get(dialect)
    if partial:
        body.merge(partial, instance.force_override)
    for name in removes:
        body.remove(name)
    return body
