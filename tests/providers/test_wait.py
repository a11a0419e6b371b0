"""How long a throttled instance is to be left alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigw.model.headers import Headers
from aigw.providers import built_in

DATE = (b"date", b"Sat, 21 Nov 2026 10:00:00 GMT")


def wait(*headers: tuple[bytes, bytes], status: int = 429) -> float | None:
    return built_in()["openai"].judge(status, list(headers), None).retry_after


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (b"1s", 1.0),
        (b"6m0s", 360.0),
        (b"1h2m3.5s", 3723.5),
        (b"20ms", 0.02),
        (b"7.66s", 7.66),
        (b"12", 12.0),
        (b"2026-11-21T10:00:07Z", 7.0),
        (b"1795255207", 7.0),
        (b"1795255207000", 7.0),
        (b"soon", None),
        (b"", None),
        (b"nan", None),
    ],
)
def test_a_reset_is_read_in_every_vendors_spelling(
    value: bytes, seconds: float | None
) -> None:
    assert wait(DATE, (b"x-ratelimit-reset", value)) == pytest.approx(seconds)


def test_the_limit_that_is_used_up_counts() -> None:
    assert wait(
        (b"x-ratelimit-remaining-requests", b"9"),
        (b"x-ratelimit-reset-requests", b"1s"),
        (b"x-ratelimit-remaining-tokens", b"0"),
        (b"x-ratelimit-reset-tokens", b"9s"),
    ) == pytest.approx(9)
    assert wait(
        DATE,
        (b"anthropic-ratelimit-requests-remaining", b"0"),
        (b"anthropic-ratelimit-requests-reset", b"2026-11-21T10:00:30Z"),
        (b"anthropic-ratelimit-tokens-remaining", b"10"),
        (b"anthropic-ratelimit-tokens-reset", b"2026-11-21T10:05:00Z"),
    ) == pytest.approx(30)


def test_where_none_says_so_the_first_to_start_anew_counts() -> None:
    assert wait(
        (b"x-ratelimit-reset-requests", b"3s"),
        (b"x-ratelimit-reset-tokens", b"9s"),
    ) == pytest.approx(3)


def test_retry_after_wins() -> None:
    assert wait((b"retry-after", b"2"), (b"x-ratelimit-reset", b"9s")) == 2


def test_the_limits_of_an_answer_that_is_not_throttled_say_nothing() -> None:
    assert wait((b"x-ratelimit-reset", b"9s"), status=500) is None


def test_a_time_without_the_answers_date_is_not_guessed_at() -> None:
    assert wait((b"x-ratelimit-reset", b"1795255207")) is None


headers: st.SearchStrategy[Headers] = st.lists(
    st.tuples(
        st.sampled_from(
            [b"date", b"retry-after", b"retry-after-ms", b"x-ratelimit-reset-tokens"]
        ),
        st.binary(max_size=20) | st.integers().map(lambda n: b"%d" % n),
    )
)


@given(headers, st.binary(max_size=50) | st.none(), st.integers(100, 999))
def test_whatever_stands_there_is_judged(
    fields: Headers, body: bytes | None, status: int
) -> None:
    for provider in built_in().values():
        told = provider.judge(status, fields, body).retry_after
        assert told is None or told >= 0
