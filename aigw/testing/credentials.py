"""The promises every ``ICredentials`` keeps."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure
from zope.interface.verify import verifyObject

from aigw.errors import CredentialsFailed
from aigw.interfaces import ICredentials
from aigw.model.credential import Credential


class CredentialsRig(Protocol):
    """What :func:`check_credentials` needs: credentials, and where they come from."""

    @property
    def credentials(self) -> ICredentials:
        """What is checked; it has none yet."""

    @property
    def fetches(self) -> int:
        """How many fetches were begun."""

    def give(self) -> None:
        """The fetch under way succeeds, now or soon."""

    def fail(self) -> None:
        """The fetch under way fails, now or soon."""


async def check_credentials(make: Callable[[], CredentialsRig]) -> None:
    """
    Hold credentials to what :class:`aigw.interfaces.ICredentials` says: fetched when
    first asked for, once for all who ask, kept, and a failure not kept; who leaves ends
    it for nobody else; ``stop`` tells who waits.

    When they are renewed is their own affair, and not looked at.

    :param make: makes a fresh rig for each promise.
    :raises AssertionError: a promise is broken.
    """
    for promise in _PROMISES:
        await promise(make())


def _ask(rig: CredentialsRig) -> Deferred[Credential]:
    async def current() -> Credential:
        return await rig.credentials.current()

    return Deferred.fromCoroutine(current())


async def _failed(asking: Awaitable[Any], what: str) -> None:
    try:
        told = await asking
    except CredentialsFailed:
        return
    except Exception as error:
        raise AssertionError(f"{what}: {error!r}, no CredentialsFailed") from error
    raise AssertionError(f"{what}, but there was {type(told).__name__}")


async def _one_fetch_serves_all(rig: CredentialsRig) -> None:
    verifyObject(ICredentials, rig.credentials)
    assert rig.fetches == 0, "fetched before anyone asked"
    asking = [_ask(rig) for _ in range(3)]
    assert rig.fetches == 1, f"{rig.fetches} fetches are under way for three who ask"
    assert not any(each.called for each in asking), "told before it was fetched"
    rig.give()
    told = [await each for each in asking]
    assert None not in told, "None is no credential"
    assert all(each == told[0] for each in told), "one fetch told different things"
    assert await _ask(rig) == told[0], "what was fetched is not kept"
    assert rig.fetches == 1, "what was fetched is not kept"


async def _who_leaves_ends_it_for_nobody_else(rig: CredentialsRig) -> None:
    leaving, staying = _ask(rig), _ask(rig)
    left: list[Any] = []
    leaving.addBoth(left.append)
    leaving.cancel()
    assert left, "who is cancelled goes on waiting"
    assert isinstance(left[0], Failure), "who is cancelled was told something"
    assert left[0].check(CancelledError), f"who is cancelled was told {left[0]!r}"
    assert not staying.called, "who leaves ended it for another"
    rig.give()
    assert await staying is not None
    assert rig.fetches == 1, "who leaves made another fetch necessary"


async def _a_failure_is_told_to_all_and_not_kept(rig: CredentialsRig) -> None:
    asking = [_ask(rig), _ask(rig)]
    rig.fail()
    for each in asking:
        await _failed(each, "the fetch failed")
    again = _ask(rig)
    assert rig.fetches == 2, "a failure is kept"
    rig.give()
    assert await again is not None


async def _stop_tells_who_waits(rig: CredentialsRig) -> None:
    rig.credentials.stop()
    asking = _ask(rig)
    rig.credentials.stop()
    rig.credentials.stop()
    await _failed(asking, "stopped while waiting")


_PROMISES = (
    _one_fetch_serves_all,
    _who_leaves_ends_it_for_nobody_else,
    _a_failure_is_told_to_all_and_not_kept,
    _stop_tells_who_waits,
)
