"""Proof towards a provider of who asks, and where that comes from."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from zope.interface import Interface

from aigw.model.credential import Credential
from aigw.model.outbound import Outbound


class ISigner(Interface):
    """
    Puts credentials to use. Called last, when nothing in a request changes any more.
    Pure: it reads no clock and may be called in any thread. Keeps no state.
    """

    def sign(outbound: Outbound, credentials: Any, now: float) -> Outbound:
        """
        A signed copy of ``outbound``, to be sent as it is.

        :param outbound: complete but for the signature; not changed. Fields that the
            signature sets are replaced.
        :param credentials: of the kind this signer takes.
        :param now: Unix time, seconds.
        :raises CredentialsFailed: the request cannot be signed with them.
        """


class ICredentials(Interface):
    """
    Where credentials come from: fetched when first asked for, kept, and renewed before
    they expire. Lives as long as the process. However many ask at once, one fetch is
    under way at most; nobody who stops waiting ends it for the others.
    """

    def current() -> Awaitable[Credential]:
        """
        Credentials that hold now.

        :raises CredentialsFailed: there are none to be had.
        """

    def stop() -> None:
        """Let go of a fetch under way; who waits for it gets an error. Idempotent."""
