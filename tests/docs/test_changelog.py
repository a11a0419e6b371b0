"""The fragments of the changelog are what CHANGELOG.md is made of at a release."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

FRAGMENTS = sorted((Path(__file__).parents[2] / "changelog.d").glob("*.md"))


@pytest.mark.parametrize("path", FRAGMENTS, ids=lambda path: path.stem)
def test_a_fragment_is_one_sentence_of_an_issue(path: Path) -> None:
    assert re.fullmatch(
        r"[1-9]\d*\.[a-z0-9-]+\.(feature|bugfix|doc|removal|misc)\.md", path.name
    )
    text = path.read_text()
    assert re.fullmatch(r"\S.*\.\n", text), "one line, and a full stop"
    sentence = re.sub(r"`[^`]*`", "", text)
    assert not re.search(r"[.!?] [A-Z]", sentence), "one sentence"


def test_no_two_fragments_say_the_same() -> None:
    texts = [path.read_text() for path in FRAGMENTS]
    assert len(set(texts)) == len(texts)
