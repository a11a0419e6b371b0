"""Every source of credentials keeps the promises, and broken ones are found out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from zope.interface import implementer

from aigw.errors import CredentialsFailed
from aigw.interfaces import ICredentials
from aigw.model.credential import AwsKeys
from aigw.signing.chain import Chain, IKeySource
from aigw.signing.flight import Flight
from aigw.signing.gcp import ServiceAccount
from aigw.signing.post import Post
from aigw.testing.credentials import check_credentials
from tests.signing.tokens import NOW, Endpoint, reactor

KEYS = AwsKeys("id", "secret")


class Rig:
    """Credentials whose fetch begins in a thread that the test holds."""

    credentials: ICredentials

    def __init__(self) -> None:
        self.fetches = 0
        self._held: list[tuple[Callable[[], Any], Deferred[Any]]] = []

    def in_thread(self, call: Callable[[], Any]) -> Deferred[Any]:
        self.fetches += 1
        done: Deferred[Any] = Deferred()
        self._held.append((call, done))
        return done

    def give(self) -> None:
        call, done = self._held.pop()
        done.callback(call())

    def fail(self) -> None:
        _, done = self._held.pop()
        done.errback(OSError("no route"))


@implementer(IKeySource)
class Source:
    def keys(self) -> AwsKeys:
        return KEYS


def chain() -> Rig:
    rig = Rig()
    rig.credentials = Chain(Source(), Clock(), rig.in_thread)
    return rig


@pytest_twisted.ensureDeferred
async def test_the_keys_of_aws_keep_the_promises() -> None:
    await check_credentials(chain, reactor)


@pytest_twisted.async_yield_fixture()
async def endpoint() -> AsyncIterator[Endpoint]:
    here = Endpoint()
    yield here
    await here.close()


@pytest_twisted.ensureDeferred
async def test_the_tokens_of_google_keep_the_promises(endpoint: Endpoint) -> None:
    def make() -> Rig:
        rig = Rig()
        account = ServiceAccount(
            endpoint.key_file(),
            60,
            None,
            endpoint.time,
            lambda: NOW,
            rig.in_thread,
            Post(endpoint.upstream, None),
        )
        endpoint.accounts.append(account)
        rig.credentials = account
        return rig

    await check_credentials(make, reactor)


class Impatient:
    """The reactor, with a hundred of its seconds in one."""

    def callLater(self, delay: float, *call: Any) -> Any:
        return reactor.callLater(delay / 100, *call)


@implementer(ICredentials)
class Plain:
    """Keeps them; what is below breaks one promise each."""

    def __init__(self, in_thread: Callable[[Callable[[], Any]], Deferred[Any]]) -> None:
        self._in_thread = in_thread
        self._flight = Flight(self._fetch)
        self._keys: AwsKeys | None = None

    async def current(self) -> AwsKeys:
        return self._keys or await self._flight.join()

    async def _fetch(self) -> AwsKeys:
        try:
            self._keys = await self._in_thread(lambda: KEYS)
        except Exception as error:
            raise CredentialsFailed("none") from error
        return KEYS

    def stop(self) -> None:
        self._flight.stop()


def rig_of(kind: type[Plain]) -> Rig:
    rig = Rig()
    rig.credentials = kind(rig.in_thread)
    return rig


@pytest_twisted.ensureDeferred
async def test_what_the_broken_ones_are_made_of_keeps_the_promises() -> None:
    await check_credentials(lambda: rig_of(Plain), reactor)


class FetchesForEach(Plain):
    async def current(self) -> AwsKeys:
        return self._keys or await self._fetch()


class KeepsNothing(Plain):
    async def current(self) -> AwsKeys:
        return await self._flight.join()


class RaisesAnything(Plain):
    async def _fetch(self) -> AwsKeys:
        self._keys = await self._in_thread(lambda: KEYS)
        return KEYS


class LetsOneEndItForAll(Plain):
    async def current(self) -> AwsKeys:
        if self._keys is not None:
            return self._keys
        mine: Deferred[AwsKeys] = Deferred(lambda _: self._flight.stop())
        self._flight.join().chainDeferred(mine)
        return await mine


class LeavesThemWaiting(Plain):
    def stop(self) -> None:
        """Lets nobody know."""


class FetchesAtOnce(Plain):
    def __init__(self, in_thread: Callable[[Callable[[], Any]], Deferred[Any]]) -> None:
        super().__init__(in_thread)
        in_thread(lambda: KEYS)


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        (FetchesForEach, "3 fetches are under way"),
        (KeepsNothing, "not kept"),
        (RaisesAnything, "no CredentialsFailed"),
        (LetsOneEndItForAll, "ended it for another|who is cancelled was told"),
        (LeavesThemWaiting, "never told"),
        (FetchesAtOnce, "before anyone asked"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_broken_credentials_are_found_out(kind: type[Plain], why: str) -> None:
    hurried: Any = Impatient()
    with pytest.raises(AssertionError, match=why):
        await check_credentials(lambda: rig_of(kind), hurried)
