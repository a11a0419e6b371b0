"""
The credentials that the AWS SDK finds by itself: environment, shared files, containers,
web identity, instance metadata (botocore's chain, in its order). It reads files and
asks the network, so it is asked in a thread.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import botocore.session
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import Interface, implementer

from aigw.errors import CredentialsFailed
from aigw.interfaces import ICredentials
from aigw.model.credential import AwsKeys

from .flight import Flight

log = Logger()

#: Seconds after which keys are asked for again, in the background. Most are kept by
#: botocore then; those that expire it renews 15 minutes before they do.
_FRESH: Final = 60.0

#: Seconds for which keys are used while that is under way, or fails. Botocore never
#: hands out keys that have less than 10 minutes left.
_USABLE: Final = 300.0


class IKeySource(Interface):
    """Where keys are found."""

    def keys() -> AwsKeys | None:
        """
        The keys that hold now; None where there are none. May block and raise anything;
        never called twice at once.
        """


@implementer(IKeySource)
class Botocore:
    """The chain of botocore."""

    def __init__(self) -> None:
        self._credentials: Any = None

    def keys(self) -> AwsKeys | None:
        if self._credentials is None:
            self._credentials = botocore.session.Session().get_credentials()
        if self._credentials is None:
            return None
        held = self._credentials.get_frozen_credentials()
        return AwsKeys(held.access_key, held.secret_key, held.token)


@implementer(ICredentials)
class Chain:
    """
    Keeps what a source of keys gave.

    :param in_thread: runs a function in a thread, as ``deferToThread`` does.
    """

    def __init__(
        self,
        source: IKeySource,
        clock: IReactorTime,
        in_thread: Callable[[Callable[[], Any]], Deferred[Any]],
    ) -> None:
        self._source = source
        self._clock = clock
        self._in_thread = in_thread
        self._keys: AwsKeys | None = None
        self._since = 0.0
        self._flight = Flight(self._fetch)

    async def current(self) -> AwsKeys:
        keys, age = self._keys, self._clock.seconds() - self._since
        if keys is None or age >= _USABLE:
            return await self._flight.join()
        if age >= _FRESH and not self._flight.under_way:
            self._flight.join().addErrback(_later)
        return keys

    def stop(self) -> None:
        self._flight.stop()

    async def _fetch(self) -> AwsKeys:
        try:
            keys: AwsKeys | None = await self._in_thread(self._source.keys)
        except CancelledError as error:
            raise _failed("stopped") from error
        except Exception as error:
            raise _failed(f"{type(error).__name__}: {error}") from error
        if keys is None:
            raise _failed("the AWS SDK finds none")
        self._keys = keys
        self._since = self._clock.seconds()
        return keys


def _failed(why: str) -> CredentialsFailed:
    log.error("No AWS credentials: {why}", why=why)
    return CredentialsFailed(
        "failed to get aws credentials", reason="credentials", detail=why
    )


def _later(failure: Failure) -> None:
    """The keys at hand still hold; the next request tries again."""
    failure.trap(CredentialsFailed)
