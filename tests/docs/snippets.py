"""The fenced blocks of README.md and the pages in docs/."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

#: .ci/run sees to it that it is there.
needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="no curl here")


@dataclass(frozen=True)
class Snippet:
    """
    One fenced block.

    :ivar page: the file's name.
    :ivar line: where its text begins, from 1.
    :ivar language: the word behind the fence, ``""`` where there is none.
    """

    page: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def snippets(*languages: str) -> list[Snippet]:
    """All blocks in these languages, or all there are."""
    found = []
    for page in PAGES:
        text = page.read_text()
        for match in _FENCE.finditer(text):
            line = text.count("\n", 0, match.start(2)) + 1
            found.append(Snippet(page.name, line, match[1], match[2]))
    return [each for each in found if not languages or each.language in languages]


def commands(snippet: Snippet) -> list[str]:
    """The commands of a block of ``sh``: a line that ends in a backslash, or within
    quotes, goes on in the next."""
    found: list[str] = []
    held = ""
    for line in snippet.text.splitlines():
        held += line + "\n"
        if not line.endswith("\\") and held.count("'") % 2 == 0:
            if held.strip():
                found.append(held.strip())
            held = ""
    assert not held, f"{snippet}: the last command has no end"
    return found
