"""The benchmark of conversion measures every pair, and what it says it does."""

from __future__ import annotations

import pytest

from benchmarks.conversion import NAMES, arguments, frames, table, texts, way

from .streams import CHAT_DIALECTS


def test_every_pair_is_in_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    found = table("text", texts(20))
    assert sorted(NAMES) == CHAT_DIALECTS
    assert set(found) == {(one, other) for one in NAMES for other in NAMES}
    assert all(figure > 0 for figure in found.values())
    assert len(capsys.readouterr().out.splitlines()) == 1 + len(NAMES)


def test_what_is_told_at_once_is_not_measured_by_the_event() -> None:
    found = table("arguments", arguments(20))
    rows = {provider for provider, _ in found}
    assert rows == set(NAMES) - {"gemini"}


@pytest.mark.parametrize("provider", NAMES)
@pytest.mark.parametrize("client", NAMES)
def test_all_of_the_stream_comes_out(provider: str, client: str) -> None:
    between = way(provider, client)
    out = b"".join(map(between.feed, frames(provider, texts(20)))) + between.end()
    assert out.count(b" word") >= 20
