"""What a request must be like before anything can be said about it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from .heard import Heard
from .script import Refused

Given = ParamSpec("Given")


def shaped(check: Callable[Given, Heard]) -> Callable[Given, Heard]:
    """
    ``check``, which reads a request as if it were of the vendor's shape, for any JSON.

    Vendors have a schema before their rules; we have none, so what a check stumbles
    over (a list where an object should be, a member that is missing) is refused here.
    """

    @wraps(check)
    def checked(*args: Given.args, **more: Given.kwargs) -> Heard:
        try:
            return check(*args, **more)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            said = f"The request is not of the shape of this API ({error!r})."
            raise Refused(400, said) from error

    return checked
