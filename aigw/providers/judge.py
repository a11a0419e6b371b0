"""
What a provider's answer means: by the word its error body or head gives, else by its
status, in the sense all vendors share.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from aigw.model.headers import Headers, first
from aigw.model.outcome import Judgement, Verdict

from .wait import retry_delay, wait_of

#: 529 is Anthropic's "overloaded"; 498 is Groq's "flex tier capacity exceeded".
_OVERLOADED = frozenset({498, 503, 529})
_REFUSED = frozenset({401, 402, 403, 407})

#: A vendor's words for errors; the reference names the page they stand on.
Words = Mapping[str, Verdict]

#: https://platform.openai.com/docs/guides/error-codes, and what others made of it.
OPENAI: Words = {
    "rate_limit_exceeded": Verdict.THROTTLED,
    "rate_limit_error": Verdict.THROTTLED,
    "insufficient_quota": Verdict.THROTTLED,
    "invalid_api_key": Verdict.REFUSED,
    "server_error": Verdict.BROKEN,
    "engine_overloaded": Verdict.OVERLOADED,
    "overloaded_error": Verdict.OVERLOADED,
}

#: https://docs.claude.com/en/api/errors
ANTHROPIC: Words = {
    "rate_limit_error": Verdict.THROTTLED,
    "overloaded_error": Verdict.OVERLOADED,
    "authentication_error": Verdict.REFUSED,
    "billing_error": Verdict.REFUSED,
    "permission_error": Verdict.REFUSED,
    "api_error": Verdict.BROKEN,
    "timeout_error": Verdict.BROKEN,
    "invalid_request_error": Verdict.REJECTED,
    "not_found_error": Verdict.REJECTED,
    "request_too_large": Verdict.REJECTED,
}

#: https://docs.aws.amazon.com/bedrock/latest/APIReference/CommonErrors.html and the
#: errors of each operation of the runtime; in lower case, as streams spell them so.
BEDROCK: Words = {
    "throttlingexception": Verdict.THROTTLED,
    "servicequotaexceededexception": Verdict.THROTTLED,
    "toomanyrequestsexception": Verdict.THROTTLED,
    "modelnotreadyexception": Verdict.OVERLOADED,
    "serviceunavailableexception": Verdict.OVERLOADED,
    "serviceunavailable": Verdict.OVERLOADED,
    "internalserverexception": Verdict.BROKEN,
    "internalfailure": Verdict.BROKEN,
    "modelerrorexception": Verdict.BROKEN,
    "modelstreamerrorexception": Verdict.BROKEN,
    "modeltimeoutexception": Verdict.BROKEN,
    "accessdeniedexception": Verdict.REFUSED,
    "expiredtokenexception": Verdict.REFUSED,
    "incompletesignature": Verdict.REFUSED,
    "invalidsignatureexception": Verdict.REFUSED,
    "missingauthenticationtokenexception": Verdict.REFUSED,
    "unrecognizedclientexception": Verdict.REFUSED,
    "validationexception": Verdict.REJECTED,
    "resourcenotfoundexception": Verdict.REJECTED,
}

#: https://cloud.google.com/apis/design/errors, and the reason of a key that is none,
#: which comes with status 400.
GOOGLE: Words = {
    "RESOURCE_EXHAUSTED": Verdict.THROTTLED,
    "UNAVAILABLE": Verdict.OVERLOADED,
    "UNAUTHENTICATED": Verdict.REFUSED,
    "PERMISSION_DENIED": Verdict.REFUSED,
    "API_KEY_INVALID": Verdict.REFUSED,
    "INTERNAL": Verdict.BROKEN,
    "UNKNOWN": Verdict.BROKEN,
    "DEADLINE_EXCEEDED": Verdict.BROKEN,
    "INVALID_ARGUMENT": Verdict.REJECTED,
    "NOT_FOUND": Verdict.REJECTED,
}


def judge(status: int, headers: Headers, body: bytes | None, words: Words) -> Judgement:
    """
    Judge an answer. One of status 2xx whose body is an error object has failed.

    :param body: an error's body (or a short answer's), None where none was read.
    :param words: the vendor's own.
    """
    error = _error_of(body) if body else None
    if status < 400 and not error:
        return Judgement(Verdict.OK)
    verdict = _by_word(_names(headers, error), words)
    if verdict is None:
        verdict = Verdict.BROKEN if status < 400 else _by_status(status)
    if verdict in (Verdict.REFUSED, Verdict.REJECTED):
        return Judgement(verdict)
    wait = wait_of(headers, exhausted=verdict is Verdict.THROTTLED)
    return Judgement(verdict, retry_delay(error) if wait is None else wait)


def _by_status(status: int) -> Verdict:
    if status == 429:
        return Verdict.THROTTLED
    if status in _OVERLOADED:
        return Verdict.OVERLOADED
    if status in _REFUSED:
        return Verdict.REFUSED
    if status >= 500 or status == 408:
        return Verdict.BROKEN
    return Verdict.REJECTED


def _by_word(names: Iterator[str], words: Words) -> Verdict | None:
    # The most telling word is not always the first: Google's 400 for a bad key says
    # INVALID_ARGUMENT, and only the reason says why.
    found = None
    for name in names:
        verdict = words.get(name)
        if verdict is not None and (found is None or found is Verdict.REJECTED):
            found = verdict
    return found


def _names(headers: Headers, error: Mapping[str, Any] | None) -> Iterator[str]:
    """The words an error goes by."""
    kind = first(headers, b"x-amzn-errortype")
    if kind is not None:
        # "ThrottlingException:http://internal.amazon.com/…"
        yield kind.split(b":", 1)[0].decode("latin-1").lower()
    if error is None:
        return
    for key in ("type", "code", "status"):
        value = error.get(key)
        if isinstance(value, str):
            yield value
    aws = error.get("__type")
    if isinstance(aws, str):
        yield aws.rpartition("#")[2].lower()
    details = error.get("details")
    for detail in details if isinstance(details, list) else ():
        if isinstance(detail, dict) and isinstance(detail.get("reason"), str):
            yield detail["reason"]


def _error_of(body: bytes) -> Mapping[str, Any] | None:
    """The error object of a body: OpenAI's, Anthropic's, Google's, or AWS's."""
    try:
        held = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if isinstance(held, list):  # Gemini, of a stream that is no SSE
        held = held[0] if held else None
    if not isinstance(held, dict):
        return None
    error = held.get("error")
    if isinstance(error, dict):
        return error
    return held if "__type" in held else None
