"""Which dialect a request is of: the order of detection (reference section 3.2)."""

from __future__ import annotations

import re
from typing import Final

from aigw.errors import BadRequest
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

_CONVERSE: Final = BedrockConverse()
_MESSAGES: Final = AnthropicMessages()

#: Dialects that carry Messages, each at paths where nothing else is.
_CARRYING: Final[tuple[IDialect, ...]] = (
    BedrockInvoke(_MESSAGES, _CONVERSE),
    RawPredict(_MESSAGES),
)

#: First match wins; the last takes all.
ORDER: Final[tuple[IDialect, ...]] = (
    *_CARRYING,
    _CONVERSE,
    _MESSAGES,
    Gemini(),
    OpenAIResponses(),
    OpenAIChat(),
    OpenAIEmbeddings(),
    Passthrough(),
)

#: Operations that are no chat and no embedding although ``messages`` or ``input``
#: stands in their bodies. Taken for one, they would be sent to another path, and run
#: (and bill) something that nobody asked for.
_OTHER = re.compile(
    r"/(?:moderations|audio/speech|rerank|batches|conversations(?:/.*)?"
    r"|responses/.+|messages/.+"
    r"|count-tokens)$"
    r"|:(?!(?:g|streamG)enerateContent$)[A-Za-z]+$|/endpoints/[^/]+:[A-Za-z]+$"
)


def detect(envelope: Envelope) -> IDialect:
    """
    The dialect of a request. A trailing slash of the path does not count; a request
    without a JSON body is passed through.

    :raises BadRequest: the body is an empty object, which no provider takes.
    """
    if envelope.fields is None:
        return ORDER[-1]
    if not envelope.fields:
        raise BadRequest("no matching AI protocol for the request")
    for dialect in _CARRYING:
        if dialect.detect(envelope):
            return dialect
    if _OTHER.search(envelope.path.rstrip("/")):
        return ORDER[-1]
    for dialect in ORDER[len(_CARRYING) : -1]:
        if dialect.detect(envelope):
            return dialect
    return ORDER[-1]
