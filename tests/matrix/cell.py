"""One client, one upstream: where the features are tried."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aigw.mock import Mock

from .seen import Sent, sent
from .truth import Truth, truth
from .turns import Asking, Client, Failed, Failure, Told
from .upstreams import Upstream


@dataclass
class Cell:
    """
    :ivar mark: what prompts begin with, so that the mock provider's records of this
        cell can be told from others.
    """

    client: Client
    upstream: Upstream
    mock: Mock
    mark: str

    def asking(self, knobs: str = "", **more: Any) -> Asking:
        """A request for a model with these knobs."""
        prompt = f"{self.mark} What is a stream?"
        return Asking(self.upstream.model(knobs), prompt, **more)

    def ask(self, knobs: str = "", **more: Any) -> Told:
        """:raises Failed: the client raised."""
        return self.say(self.asking(knobs, **more))

    def say(self, asking: Asking) -> Told:
        """
        The answer to ``asking``, which must have gone to the upstream's own path.

        :raises Failed: the client raised.
        """
        told = self.client.ask(asking)
        self.sent()
        return told

    def truth(self, scenario: str) -> Truth:
        """What the mock provider says."""
        return truth(self.upstream.answers, scenario)

    def sent(self) -> Sent:
        """The latest request of this cell, which must be in the upstream's dialect."""
        latest = sent(self.mock, self.mark)[-1]
        assert self.upstream.asked_at(latest.path), f"asked at {latest.path}"
        return latest

    @property
    def native(self) -> bool:
        """Whether the provider speaks the client's dialect."""
        return self.client.dialect == self.upstream.dialect

    @property
    def whole_calls(self) -> bool:
        """Whether arguments are an object, and so in one piece, for either side."""
        return "gemini" in (self.client.dialect, self.upstream.dialect)


def failure(call: Callable[[], Any]) -> Failure:
    """The error that ``call`` ends with."""
    try:
        told = call()
    except Failed as failed:
        return failed.failure
    raise AssertionError(f"no error was raised, but told: {told}")
