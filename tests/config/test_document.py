"""The page about the configuration is made from the structs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from aigw.config.document import main, page, schema

from .samples import loaded

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"


def test_the_committed_page_is_the_generated_one() -> None:
    assert PAGE.read_text() == page(), (
        "run: python -m aigw.config.document > docs/configuration.md"
    )


def test_every_field_says_what_it_means() -> None:
    rows = re.findall(r"^\| `.*$", page(), re.MULTILINE)
    assert len(rows) > 60
    for row in rows:
        assert re.search(r"\| [^|]*\S[^|]* \|$", row), row


@pytest.mark.parametrize("text", re.findall(r"```yaml\n(.*?)```", page(), re.DOTALL))
def test_the_examples_load(text: str) -> None:
    assert loaded(text, {"OPENAI_API_KEY": "sk"}).routes


def _properties(part: str) -> dict[str, Any]:
    found = schema()["$defs"][part]["properties"]
    assert isinstance(found, dict)
    return found


def test_the_schema_knows_bounds_and_what_is_ignored() -> None:
    timeout = _properties("AiProxy")["timeout"]
    assert (timeout["minimum"], timeout["maximum"]) == (1, 600_000)
    assert {"uri", "desc", "plugins"} <= _properties("RouteConf").keys()
    assert "prometheus" in _properties("Plugins")
    assert "key-auth" not in _properties("Plugins")


def test_both_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    main([])
    assert capsys.readouterr().out == page()
    main(["--schema"])
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(schema()))
