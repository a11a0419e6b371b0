"""
The call that asks a model to go on from the text of another: that text stands as the
last message, the assistant's (Anthropic's "prefill", a trailing assistant message of
chat completions).
"""

from __future__ import annotations

from dataclasses import replace

from aigw.errors import BadRequest
from aigw.interfaces import IDialect
from aigw.interfaces.chat import IChatDialect
from aigw.model.call import Call, Message
from aigw.model.envelope import Envelope
from aigw.model.part import Text
from aigw.model.usage import Usage


def continuable(dialect: IDialect, envelope: Envelope) -> Call | None:
    """
    The call, if it asks for a stream of one text that another model could go on with;
    else None. An answer of a form (JSON) has no good place to be cut, and log
    probabilities of two models are none.
    """
    if not IChatDialect.providedBy(dialect) or not dialect.streams(envelope):
        return None
    try:
        call: Call = dialect.parse(envelope)
    except BadRequest:
        return None  # its provider may know better, and tells its client
    formed = call.format is not None and call.format.kind != "text"
    several = call.n is not None and call.n > 1
    return None if formed or several or call.logprobs is not None else call


def prefixed(call: Call, text: str, used: Usage | None) -> Call | None:
    """
    ``call``, asking to go on from ``text``; None where that is not possible.

    The prefix is sent without white space at its end, which Anthropic refuses; where
    nothing is left of it, the call is asked as it was. The cap on output tokens is
    lowered by what is known to be spent. Reasoning is not asked for: it cannot stand
    behind text.
    """
    prefix = text.rstrip()
    if _within_stop(call, text):
        return None
    most = call.max_tokens
    if most is not None and used is not None:
        most -= used.output
        if most < 1:
            return None
    if not prefix:
        return replace(call, max_tokens=most)
    *before, last = call.messages or (None,)
    parts = (Text(prefix),)
    if last is None or last.role != "assistant":
        messages = (*call.messages, Message("assistant", parts))
    else:  # the client had begun the answer itself
        *others, end = last.parts or (None,)
        if isinstance(end, Text):
            parts = (replace(end, text=end.text + prefix),)
            others = [part for part in others if part is not None]
        else:
            others = list(last.parts)
        kept = tuple(message for message in before if message is not None)
        messages = (*kept, replace(last, parts=(*others, *parts)))
    return replace(call, messages=messages, max_tokens=most, reasoning=None)


def _within_stop(call: Call, text: str) -> bool:
    """Whether ``text`` ends within a stop sequence: it cannot be cut there."""
    return any(
        text.endswith(stop[:size]) for stop in call.stop for size in range(1, len(stop))
    )
