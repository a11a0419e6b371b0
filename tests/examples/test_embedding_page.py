"""The snippets of the page on embedding run, one after the other."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest_twisted
from twisted.web.resource import getChildForRequest
from twisted.web.test.requesthelper import DummyRequest

from aigw.http.resource import GatewayResource

PAGE = Path(__file__).parents[2] / "docs" / "embedding.md"


@pytest_twisted.ensureDeferred
async def test_the_snippets_of_the_page_run() -> None:
    snippets = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    names: dict[str, Any] = {"__name__": "page"}
    for snippet in snippets:
        exec(compile(snippet, str(PAGE), "exec"), names)
    await names["stopped"]
    request = DummyRequest([b"ai", b"v1"])
    assert isinstance(getChildForRequest(names["root"], request), GatewayResource)
    assert names["alone"].max_body == 1_000_000
    assert not names["gateway"].serve.ready
