"""AWS keys that the SDK finds: kept, renewed in the background, asked for once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from zope.interface import implementer
from zope.interface.verify import verifyObject

from aigw.errors import CredentialsFailed
from aigw.interfaces import ICredentials
from aigw.model.credential import AwsKeys
from aigw.signing.chain import Botocore, Chain, IKeySource

OLD, NEW = AwsKeys("old", "s"), AwsKeys("new", "s", "token")


@implementer(IKeySource)
class Source:
    """Gives what the test lays out."""

    def __init__(self) -> None:
        self.answers: list[AwsKeys | Exception | None] = []

    def keys(self) -> AwsKeys | None:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


class Setting:
    """A chain whose thread runs when the test says so."""

    def __init__(self, *answers: AwsKeys | Exception | None) -> None:
        self.clock = Clock()
        self.source = Source()
        self.source.answers.extend(answers)
        self.threads: list[tuple[Callable[[], Any], Deferred[Any]]] = []
        self.chain = Chain(self.source, self.clock, self._in_thread)

    def _in_thread(self, call: Callable[[], Any]) -> Deferred[Any]:
        done: Deferred[Any] = Deferred()
        self.threads.append((call, done))
        return done

    def ask(self) -> list[AwsKeys | Failure]:
        told: list[AwsKeys | Failure] = []
        Deferred.fromCoroutine(self.chain.current()).addBoth(told.append)
        return told

    def run(self) -> None:
        """Let the thread do its work."""
        call, done = self.threads.pop(0)
        try:
            result = call()
        except Exception:
            done.errback(Failure())
        else:
            done.callback(result)


def test_interfaces_are_provided() -> None:
    verifyObject(IKeySource, Source())
    verifyObject(IKeySource, Botocore())
    verifyObject(ICredentials, Setting().chain)


def test_the_first_to_ask_wait_for_one_fetch() -> None:
    here = Setting(OLD)
    told = [here.ask(), here.ask()]
    assert told == [[], []]
    assert len(here.threads) == 1
    here.run()
    assert told == [[OLD], [OLD]]
    assert here.ask() == [OLD]
    assert not here.threads


def test_keys_are_renewed_in_the_background() -> None:
    here = Setting(OLD, NEW)
    here.ask()
    here.run()
    here.clock.advance(59)
    assert here.ask() == [OLD]
    assert not here.threads
    here.clock.advance(1)
    assert here.ask() == [OLD]
    assert here.ask() == [OLD]
    assert len(here.threads) == 1
    here.run()
    assert here.ask() == [NEW]


def test_keys_that_cannot_be_renewed_are_used_for_a_while() -> None:
    here = Setting(OLD, OSError("metadata"), OSError("metadata"), NEW)
    here.ask()
    here.run()
    here.clock.advance(100)
    assert here.ask() == [OLD]
    here.run()
    here.clock.advance(100)
    assert here.ask() == [OLD]
    here.run()
    here.clock.advance(100)
    told = here.ask()
    assert told == []
    here.run()
    assert told == [NEW]


@pytest.mark.parametrize("answer", [None, OSError("no route")])
def test_no_keys_are_an_error_that_another_try_may_mend(
    answer: Exception | None,
) -> None:
    here = Setting(answer, NEW)
    (told,) = [here.ask()]
    here.run()
    (failure,) = told
    assert isinstance(failure, Failure)
    error = failure.value
    assert isinstance(error, CredentialsFailed)
    assert (error.status, error.key) == (500, "error_msg")
    assert error.retryable
    assert error.message == "failed to get aws credentials"
    again = here.ask()
    here.run()
    assert again == [NEW]


def test_stopping_tells_who_waits() -> None:
    here = Setting()
    told = here.ask()
    here.chain.stop()
    (failure,) = told
    assert isinstance(failure, Failure)
    assert failure.check(CredentialsFailed)


# -- botocore itself, on files and variables


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """An environment without any credentials."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("HOME", str(tmp_path))
    return monkeypatch


def test_botocore_finds_variables(alone: pytest.MonkeyPatch) -> None:
    alone.setenv("AWS_ACCESS_KEY_ID", "AKID")
    alone.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    alone.setenv("AWS_SESSION_TOKEN", "token")
    assert Botocore().keys() == AwsKeys("AKID", "secret", "token")


def test_botocore_finds_a_profile_that_comes_later(
    alone: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = Botocore()
    assert found.keys() is None
    (tmp_path / "credentials").write_text(
        "[default]\naws_access_key_id = AKID\naws_secret_access_key = secret\n"
    )
    assert found.keys() == AwsKeys("AKID", "secret", None)


def test_what_keys_are_is_not_shown() -> None:
    assert "secret" not in repr(AwsKeys("AKID", "secret", "secret"))
