"""
The dialects of a gateway, and which of them a request is of: the order of detection
(reference section 3.2).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from aigw.errors import BadRequest, ConfigError
from aigw.interfaces import IDialect
from aigw.model.envelope import Envelope

from .anthropic_messages import AnthropicMessages
from .bedrock_converse import BedrockConverse
from .bedrock_invoke import BedrockInvoke
from .gemini import Gemini
from .openai_chat import OpenAIChat
from .openai_embeddings import OpenAIEmbeddings
from .openai_responses import OpenAIResponses
from .passthrough import Passthrough
from .raw_predict import RawPredict
from .usage_tap import UsageTap

_CONVERSE: Final = BedrockConverse()
_MESSAGES: Final = AnthropicMessages()

#: Dialects that carry Messages, each at paths where nothing else is.
_CARRYING: Final[tuple[IDialect, ...]] = (
    BedrockInvoke(_MESSAGES, _CONVERSE),
    RawPredict(_MESSAGES),
)

#: Dialects known by their paths, then those known by their bodies; first match wins.
_BY_PATH: Final[tuple[IDialect, ...]] = (
    _CONVERSE,
    _MESSAGES,
    Gemini(),
    OpenAIResponses(),
)
_BY_BODY: Final[tuple[IDialect, ...]] = (OpenAIChat(), OpenAIEmbeddings())

#: What takes all others; and those of them whose answers tell what was used. What is
#: asked for again (``GET``) was paid before.
_UNKNOWN: Final = Passthrough()
_METERED: Final = Passthrough(UsageTap)
_METERS = re.compile(
    r"/(?:completions|moderations|rerank|responses/compact"
    r"|images/(?:generations|edits|variations)"
    r"|audio/(?:speech|transcriptions|translations))$"
)

_BUILT_IN: Final = (*_CARRYING, *_BY_PATH, *_BY_BODY, _UNKNOWN)

#: The usual paths of dialects known by their bodies: nobody else is asked. Most
#: requests are of such a path.
_USUAL: Final = ("/chat/completions", "/completions", "/embeddings")

#: Operations that are no chat and no embedding although ``messages`` or ``input``
#: stands in their bodies. Taken for one, they would be sent to another path, and run
#: (and bill) something that nobody asked for.
_OTHER = re.compile(
    r"/(?:moderations|audio/speech|rerank|batches|conversations(?:/.*)?"
    r"|responses/.+|messages/.+"
    r"|count-tokens)$"
    r"|:(?!(?:g|streamG)enerateContent$)[A-Za-z]+$|/endpoints/[^/]+:[A-Za-z]+$"
)


class Dialects:
    """
    The built-in dialects and third parties'. These are asked where none of the built-in
    ones knows the path, before a body is guessed by: so they take no request from any,
    and each may have a path of its own.

    :param given: third parties' dialects, in the order they are asked.
    :raises ConfigError: two are of one name.
    """

    def __init__(self, given: Iterable[IDialect] = ()) -> None:
        self._given = tuple(given)
        self._by_name: dict[str, IDialect] = {}
        for dialect in (*_BUILT_IN, *self._given):
            if dialect.name in self._by_name:
                raise ConfigError([f"two dialects are called {dialect.name!r}"])
            self._by_name[dialect.name] = dialect

    def get(self, name: str) -> IDialect:
        """
        The dialect of that name.

        :raises ConfigError: there is none; the message lists those there are.
        """
        try:
            return self._by_name[name]
        except KeyError:
            there = ", ".join(sorted(self._by_name))
            raise ConfigError(
                [f"no dialect is called {name!r}; known: {there}"]
            ) from None

    def known(self) -> frozenset[str]:
        """The names of all dialects."""
        return frozenset(self._by_name)

    def detect(self, envelope: Envelope) -> IDialect:
        """
        The dialect of a request. A trailing slash of the path does not count; a request
        without a JSON body is passed through.

        :raises BadRequest: the body is an empty object, which no provider takes.
        """
        if envelope.fields is None:
            return _unknown(envelope)
        if not envelope.fields:
            raise BadRequest("no matching AI protocol for the request")
        path = envelope.path.rstrip("/")
        other = _OTHER.search(path) is not None
        if path.endswith(_USUAL):
            return (None if other else _first(_BY_BODY, envelope)) or _unknown(envelope)
        return (
            _first(_CARRYING, envelope)
            or (None if other else _first(_BY_PATH, envelope))
            or _first(self._given, envelope)
            or (None if other else _first(_BY_BODY, envelope))
            or _unknown(envelope)
        )

    def by_path(self, envelope: Envelope) -> IDialect:
        """
        The dialect of a request that could not be read, as far as its path tells: its
        client is to be told why in words that it reads.
        """
        known = (*_CARRYING, *_BY_PATH, *self._given)
        return _first(known, envelope) or _UNKNOWN


def _unknown(envelope: Envelope) -> IDialect:
    metered = envelope.method == "POST" and _METERS.search(envelope.path.rstrip("/"))
    return _METERED if metered else _UNKNOWN


def _first(dialects: tuple[IDialect, ...], envelope: Envelope) -> IDialect | None:
    for dialect in dialects:
        if dialect.detect(envelope):
            return dialect
    return None
