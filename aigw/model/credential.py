"""Credentials that a signer puts to use. Their values are never shown."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class AwsKeys:
    """
    Keys of AWS.

    :ivar session_token: of temporary keys, else None.
    """

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class BearerToken:
    """A token that whoever bears it may use (RFC 6750)."""

    value: str = field(repr=False)


Credential = AwsKeys | BearerToken
