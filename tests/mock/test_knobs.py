"""How knobs are read, and what is refused."""

from __future__ import annotations

import pytest

from aigw.mock.knobs import BadKnob, Knobs, from_field, from_name


@pytest.mark.parametrize(
    "name",
    [
        "mock-n5-d20",
        "us.acme.mock-n5-d20:0",
        "arn:aws:bedrock:us-east-1:1:inference-profile/mock-n5-d20",
        "acme/mock-n5-d20",
    ],
)
def test_knobs_are_found_wherever_the_word_stands(name: str) -> None:
    assert from_name(name) == Knobs(n=5, d=20)


@pytest.mark.parametrize("name", ["gpt-4o", "mocked-n5", "hammock-n5", ""])
def test_other_names_have_no_knobs(name: str) -> None:
    assert from_name(name) == Knobs()


def test_the_field_takes_either_way_of_writing() -> None:
    assert from_field("n=5, stall3,gzip , retry=0.5") == Knobs(
        n=5, stall=3, gzip=True, retry=0.5
    )


def test_a_word_that_is_no_knob_is_a_scenario() -> None:
    assert from_name("mock-n5-tools").scenario == "tools"


@pytest.mark.parametrize(
    "value", ["n", "n=x", "n=1.5", "gzip=1", "n=1,n=2", "b=0", "c=0", "a,b", "n=-1"]
)
def test_what_is_not_understood_is_refused(value: str) -> None:
    with pytest.raises(BadKnob):
        from_field(value)
