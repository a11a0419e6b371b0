"""``auth``: the credentials of an instance."""

from __future__ import annotations

import json
from typing import Annotated

import msgspec
from msgspec import Meta

from .part import SECRET, Check, Natural, Part, Positive, about

_NAME = Annotated[str, Meta(pattern=r"^[a-zA-Z0-9._-]+$")]


def _sendable(value: str) -> None:
    if any(character in value for character in "\r\n\0"):
        raise ValueError("it holds a line break or NUL")
    try:
        value.encode("latin-1")
    except UnicodeEncodeError as error:
        raise ValueError("it holds what no header field may") from error


def _once(names: dict[str, str]) -> None:
    if len({name.lower() for name in names}) != len(names):
        raise ValueError("a name is repeated in another case")


def _object(text: str) -> None:
    try:
        held = json.loads(text)
    except ValueError as error:
        raise ValueError("it is not JSON") from error
    if not isinstance(held, dict):
        raise ValueError("it is no JSON object")


class Gcp(Part, frozen=True, kw_only=True):
    """A Google Cloud service account."""

    service_account_json: Annotated[
        Annotated[str, Check(_object, "the JSON of a service account")] | None,
        SECRET,
        about(
            "The account's key file; unset, `GCP_SERVICE_ACCOUNT` of the environment."
        ),
    ] = None
    max_ttl: Annotated[
        Positive | None, about("The longest a token is kept, seconds.")
    ] = None
    expire_early_secs: Annotated[
        Natural, about("How long before its end a token is renewed, seconds.")
    ] = 60


class Aws(Part, frozen=True, kw_only=True):
    """AWS credentials; without keys the SDK's own, `AWS_BEARER_TOKEN_BEDROCK` first."""

    access_key_id: Annotated[
        Annotated[str, Meta(min_length=1)] | None, SECRET, about("The key's id.")
    ] = None
    secret_access_key: Annotated[
        Annotated[str, Meta(min_length=1)] | None, SECRET, about("The key itself.")
    ] = None
    session_token: Annotated[
        Annotated[str, Meta(min_length=1)] | None,
        SECRET,
        about("The token of temporary credentials."),
    ] = None


class KeyAuth(Part, frozen=True, kw_only=True):
    """Credentials that are sent as they are."""

    header: Annotated[
        dict[_NAME, Annotated[str, Check(_sendable, "a header field's value")]],
        Check(_once, "each name once, whatever its case"),
        SECRET,
        about("Header fields to send; they replace the client's."),
    ] = msgspec.field(default_factory=dict)
    query: Annotated[
        dict[_NAME, str],
        SECRET,
        about("Query parameters to send; a client can never replace them."),
    ] = msgspec.field(default_factory=dict)


class Auth(KeyAuth, frozen=True, kw_only=True):
    """Credentials sent to the provider; empty, the client's own pass."""

    gcp: Annotated[Gcp | None, about("Sign in to Google Cloud.")] = None
    aws: Annotated[Aws | None, about("Sign requests for AWS.")] = None
