"""
What the parts of the configuration are made of: a struct base that knows which fields
of the reference are ignored or refused, and what a field may say beside its type.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import Meta


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    One object of the configuration.

    :cvar ignored: fields that are accepted, do nothing, and are warned of.
    :cvar refused: known fields that this version cannot honour, and why.
    :cvar disableable: whether a refused field is let in when it is an object whose
        ``_meta.disable`` is true.
    :cvar heirs: the field, a list of parts, whose items take over what they share with
        this part and leave out; ``""`` for none.
    """

    ignored: ClassVar[frozenset[str]] = frozenset()
    refused: ClassVar[Mapping[str, str]] = MappingProxyType({})
    disableable: ClassVar[bool] = False
    heirs: ClassVar[str] = ""


@dataclass(frozen=True, slots=True)
class Check:
    """
    A rule that a type cannot say.

    :ivar test: called with the value; raises ValueError with what is wrong. The error's
        text must not hold the value.
    :ivar bounds: what is accepted, in words.
    """

    test: Callable[[Any], object]
    bounds: str


@dataclass(frozen=True, slots=True)
class Shown:
    """
    How a value that holds a secret is shown.

    :ivar text: makes of the value what may be printed.
    """

    text: Callable[[Any], str]


#: A value of which nothing is printed.
SECRET = Shown(lambda value: "***")

_USERINFO = re.compile(r"//[^/?#]*@")
_PARAMETER = re.compile(r"([?&])([^=&#]*)=[^&#]*")
_PUBLIC = frozenset({"api-version", "alt"})


def without_secrets(url: object) -> str:
    """A URL without its user, password and query values."""

    def parameter(found: re.Match[str]) -> str:
        name = found[2]
        return found[0] if name in _PUBLIC else f"{found[1]}{name}=***"

    return _PARAMETER.sub(parameter, _USERINFO.sub("//***@", str(url)))


#: A URL that may hold a password or a key.
SECRET_URL = Shown(without_secrets)

Positive = Annotated[int, Meta(ge=1)]
Natural = Annotated[int, Meta(ge=0)]
#: A duration in ms that must pass some time.
Milliseconds = Annotated[int, Meta(ge=1)]


def about(meaning: str) -> Meta:
    """The meaning of a field, shown in the documentation and the JSON schema."""
    return Meta(description=meaning)


def seconds(milliseconds: int | None) -> float | None:
    """Milliseconds of the configuration as the seconds everything else counts in."""
    return None if milliseconds is None else milliseconds / 1000
