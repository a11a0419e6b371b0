"""Every dialect keeps the promises, and broken ones are found out."""

from __future__ import annotations

import pytest

from aigw import dialects
from aigw.interfaces import IChatDialect
from aigw.testing.chat import check_chat
from aigw.testing.dialect import check_dialect

from .samples import answers, requests, streams


def is_chat(name: str) -> bool:
    return bool(IChatDialect.providedBy(dialects.get(name)))


NAMES = sorted(dialects.known())
CHAT = [name for name in NAMES if is_chat(name)]


@pytest.mark.parametrize("name", [name for name in NAMES if not is_chat(name)])
def test_a_dialect_keeps_its_promises(name: str) -> None:
    check_dialect(
        dialects.get(name),
        requests(name),
        streams=streams(name),
        answers=answers(name),
    )


@pytest.mark.parametrize("name", CHAT)
def test_a_chat_dialect_keeps_its_promises(name: str) -> None:
    check_chat(
        IChatDialect(dialects.get(name)),
        requests(name),
        streams=streams(name),
        answers=answers(name),
    )
