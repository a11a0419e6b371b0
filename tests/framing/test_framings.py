"""Framings by name and by media type."""

from __future__ import annotations

import pytest

import aigw.framing
from aigw.errors import ConfigError
from aigw.framing import SSE, EventStream, Framings
from aigw.interfaces import IFraming


class Renamed(SSE):
    def __init__(self, name: str, content_type: str) -> None:
        self.name = name
        self.content_type = content_type


def test_the_built_in_framings_are_found_by_name() -> None:
    for name in ("sse", "aws-eventstream"):
        framing = aigw.framing.get(name)
        assert IFraming.providedBy(framing)
        assert framing.name == name
        assert aigw.framing.by_content_type(framing.content_type) is framing


def test_an_unknown_name_is_refused_with_the_names_that_exist() -> None:
    with pytest.raises(ConfigError, match=r"'ndjson'.*aws-eventstream, sse"):
        aigw.framing.get("ndjson")


@pytest.mark.parametrize("kind", ["", "application/json", "text/event-stream; a=b"])
def test_a_media_type_that_announces_no_framing_has_none(kind: str) -> None:
    assert aigw.framing.by_content_type(kind) is None


def test_others_stand_beside_the_built_in_ones_and_nowhere_else() -> None:
    mine = Renamed("mine", "text/mine")
    framings = Framings([mine])
    assert framings.get("mine") is mine
    assert framings.by_content_type("text/mine") is mine
    assert [framing.name for framing in framings] == ["sse", "aws-eventstream", "mine"]
    assert aigw.framing.by_content_type("text/mine") is None


def test_two_of_a_name_or_of_a_media_type_are_refused() -> None:
    others = [Renamed("sse", "text/a"), Renamed("b", EventStream.content_type)]
    with pytest.raises(ConfigError) as refused:
        Framings(others)
    assert len(refused.value.problems) == 2
    assert "'sse'" in refused.value.problems[0]
    assert "'aws-eventstream'" in refused.value.problems[1]
