"""
An exchange under way: a coroutine that awaits Deferreds, and who is told of its end.

``Deferred.fromCoroutine`` would do. But it makes a Deferred that can be cancelled and
waited for, which nobody does with an exchange: each stream would hold 0.7 KB for that,
and each request pay 2 µs.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from contextvars import copy_context
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure


class Running:
    """
    Runs ``coroutine`` to its end, in a context of its own (PEP 567). What it awaits
    keeps this alive.

    :param over: told once of the end: None, or the Failure of what it raised.
    """

    __slots__ = ("_coroutine", "_over", "_run")

    def __init__(
        self,
        coroutine: Coroutine[Deferred[Any], Any, None],
        over: Callable[[Failure | None], None],
    ) -> None:
        self._coroutine = coroutine
        self._over = over
        self._run = copy_context().run
        self._go_on(None)

    def _go_on(self, result: object) -> None:
        """What was awaited is here: ``result``, or its Failure."""
        try:
            if isinstance(result, Failure):
                awaited = self._run(result.throwExceptionIntoGenerator, self._coroutine)
            else:
                # A Deferred gives its result itself to who awaits it.
                awaited = self._run(self._coroutine.send, None)
            awaited.addBoth(self._go_on)
        except StopIteration:
            self._over(None)
        except BaseException:
            self._over(Failure())
