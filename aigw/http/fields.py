"""The header fields of requests, those that most clients send alike held once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from aigw.model.headers import Headers

#: Fields of few values, none of them secret.
_FEW: Final = frozenset(
    {
        b"accept",
        b"accept-encoding",
        b"accept-language",
        b"anthropic-beta",
        b"anthropic-version",
        b"connection",
        b"content-type",
        b"host",
        b"user-agent",
        b"x-stainless-arch",
        b"x-stainless-lang",
        b"x-stainless-os",
        b"x-stainless-package-version",
        b"x-stainless-retry-count",
        b"x-stainless-runtime",
        b"x-stainless-runtime-version",
        b"x-stainless-timeout",
    }
)
#: How many are kept, and the longest of their values: 200 KB at the very most.
_MOST: Final = 512
_LONGEST: Final = 256

_Field = tuple[bytes, bytes]

#: Fields as they came, and as they are handed on.
_KNOWN: Final[dict[_Field, _Field]] = {}


def tidied(fields: Iterable[_Field]) -> Headers:
    """
    Names in lower case, values without the blanks behind them. What is known is neither
    made nor held again: an open stream holds its request's fields, 1.3 KB as the
    official clients send them.
    """
    return [_KNOWN.get(field) or _tidied(field) for field in fields]


def _tidied(field: _Field) -> _Field:
    name, value = field
    name = name.lower()
    tidy = name, value.rstrip(b" \t")
    if name in _FEW and len(value) <= _LONGEST:
        if len(_KNOWN) >= _MOST:
            _KNOWN.clear()  # those that are sent again are soon known again
        _KNOWN[field] = tidy
    return tidy
