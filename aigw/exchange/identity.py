"""Request ids."""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import count


def request_ids() -> Callable[[], str]:
    """
    A source of request ids: unique, sortable within a process, 32 hex digits. A random
    prefix and a counter, because asking the system for randomness costs more than all
    else that a request id is for.
    """
    prefix = os.urandom(10).hex()
    numbers = count(1)
    return lambda: f"{prefix}{next(numbers):012x}"
