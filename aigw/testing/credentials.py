"""The promises every ``ICredentials`` keeps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from twisted.internet.defer import CancelledError, Deferred, DeferredList
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure
from zope.interface.verify import verifyObject

from aigw.errors import CredentialsFailed
from aigw.interfaces import ICredentials
from aigw.model.credential import Credential

#: Seconds for which a fetch may go on that was let go.
_PATIENCE = 5.0


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


async def check_credentials(
    make: Callable[[], CredentialsRig], reactor: IReactorTime
) -> None:
    """
    Hold credentials to what :class:`aigw.interfaces.ICredentials` says: fetched when
    first asked for, once for all who ask, kept, and a failure not kept; who leaves ends
    it for nobody else; ``stop`` tells who waits.

    When they are renewed is their own affair, and not looked at.

    :param make: makes a fresh rig for each promise.
    :param reactor: the one that runs; who waits for 5 s of it waits in vain.
    :raises AssertionError: a promise is broken.
    """
    for promise in _PROMISES:
        await promise(make(), reactor)


def _ask(rig: CredentialsRig) -> Deferred[Credential]:
    async def current() -> Credential:
        return await rig.credentials.current()

    return Deferred.fromCoroutine(current())


async def _outcomes(
    asking: Sequence[Deferred[Credential]], reactor: IReactorTime
) -> list[Any]:
    """What each was told: credentials or an error."""
    every = DeferredList(asking, consumeErrors=True)
    told = await every.addTimeout(_PATIENCE, reactor)
    outcomes = [each.value if isinstance(each, Failure) else each for _, each in told]
    for outcome in outcomes:
        assert not isinstance(outcome, CancelledError), "who waits is never told"
        assert outcome is not None, "None is no credential"
    return outcomes


async def _given(
    asking: Sequence[Deferred[Credential]], reactor: IReactorTime
) -> list[Any]:
    outcomes = await _outcomes(asking, reactor)
    for outcome in outcomes:
        assert not isinstance(outcome, Exception), f"fetched, but told {outcome!r}"
    return outcomes


async def _failed(
    asking: Sequence[Deferred[Credential]], reactor: IReactorTime, what: str
) -> None:
    for outcome in await _outcomes(asking, reactor):
        told = outcome if isinstance(outcome, Exception) else type(outcome).__name__
        assert isinstance(told, CredentialsFailed), (
            f"{what}: told was {told!r}, no CredentialsFailed"
        )


async def _one_fetch_serves_all(rig: CredentialsRig, reactor: IReactorTime) -> None:
    verifyObject(ICredentials, rig.credentials)
    assert rig.fetches == 0, "fetched before anyone asked"
    asking = [_ask(rig) for _ in range(3)]
    assert rig.fetches == 1, f"{rig.fetches} fetches are under way for three who ask"
    assert not any(each.called for each in asking), "told before it was fetched"
    rig.give()
    told = await _given(asking, reactor)
    assert all(each == told[0] for each in told), "one fetch told different things"
    again = _ask(rig)
    assert rig.fetches == 1, "what was fetched is not kept"
    assert await _given([again], reactor) == told[:1], "what was fetched is not kept"


async def _who_leaves_ends_it_for_nobody_else(
    rig: CredentialsRig, reactor: IReactorTime
) -> None:
    leaving, staying = _ask(rig), _ask(rig)
    left: list[Any] = []
    leaving.addBoth(left.append)
    leaving.cancel()
    assert left, "who is cancelled goes on waiting"
    ended = staying.called
    if ended:
        await _outcomes([staying], reactor)
    assert not ended, "who leaves ended it for another"
    assert isinstance(left[0], Failure), "who is cancelled was told something"
    assert left[0].check(CancelledError), f"who is cancelled was told {left[0]!r}"
    rig.give()
    await _given([staying], reactor)
    assert rig.fetches == 1, "who leaves made another fetch necessary"


async def _a_failure_is_told_to_all_and_not_kept(
    rig: CredentialsRig, reactor: IReactorTime
) -> None:
    asking = [_ask(rig), _ask(rig)]
    rig.fail()
    await _failed(asking, reactor, "the fetch failed")
    again = _ask(rig)
    assert rig.fetches == 2, "a failure is kept"
    rig.give()
    await _given([again], reactor)


async def _stop_tells_who_waits(rig: CredentialsRig, reactor: IReactorTime) -> None:
    rig.credentials.stop()
    asking = _ask(rig)
    rig.credentials.stop()
    rig.credentials.stop()
    await _failed([asking], reactor, "stopped while waiting")


_PROMISES = (
    _one_fetch_serves_all,
    _who_leaves_ends_it_for_nobody_else,
    _a_failure_is_told_to_all_and_not_kept,
    _stop_tells_who_waits,
)
