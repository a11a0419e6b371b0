"""Azure OpenAI's two shapes."""

from __future__ import annotations

from typing import Any

import pytest

from aigw.errors import BadRequest
from aigw.model.instance import Endpoint
from aigw.model.outbound import Outbound

from .uses import CHAT, body_of, prepared

HOST = "res.openai.azure.com"


def azure(path: str = "", query: str = "", **settings: Any) -> Outbound:
    settings.setdefault("dialect", "openai-chat")
    endpoint = Endpoint("https", HOST, 443, path, query)
    return prepared("azure-openai", endpoint=endpoint, **settings)


@pytest.mark.parametrize("path", ["", "/openai/v1", "/openai/v1/"])
def test_without_a_dated_version_the_body_names_the_deployment(path: str) -> None:
    outbound = azure(path)
    assert outbound.target == b"/openai/v1/chat/completions"
    assert outbound.body == CHAT


def test_an_undated_version_stays_in_that_shape() -> None:
    outbound = azure(query="api-version=preview")
    assert outbound.target == b"/openai/v1/chat/completions?api-version=preview"
    assert body_of(outbound)["model"] == "m"


@pytest.mark.parametrize(
    "settings",
    [
        {"query": "api-version=2024-10-21"},
        {"auth_query": {"api-version": "2024-10-21"}},
    ],
)
def test_with_a_dated_version_the_path_names_it(settings: Any) -> None:
    outbound = azure(**settings)
    assert outbound.target == (
        b"/openai/deployments/m/chat/completions?api-version=2024-10-21"
    )
    assert "model" not in body_of(outbound)
    assert outbound.model == "m"


def test_options_name_the_deployment() -> None:
    outbound = azure(query="api-version=2024-10-21", options={"model": "my gpt"})
    assert outbound.target.startswith(b"/openai/deployments/my%20gpt/chat/")
    assert outbound.model == "my gpt"


def test_an_endpoints_own_path_is_used_as_it_is_and_names_the_model() -> None:
    path = "/openai/deployments/gpt/chat/completions"
    outbound = azure(path, "api-version=2024-10-21", max_tokens=5)
    assert outbound.target == path.encode() + b"?api-version=2024-10-21"
    assert body_of(outbound)["max_tokens"] == 5
    assert "model" not in body_of(outbound)
    assert outbound.model == "m"


def test_responses_name_the_model_in_the_body_in_both_shapes() -> None:
    body = b'{"model":"m","input":"hi"}'
    settings: Any = {"dialect": "openai-responses", "body": body}
    assert azure(**settings).target == b"/openai/v1/responses"
    dated = azure(query="api-version=2025-04-01-preview", **settings)
    assert dated.target == b"/openai/responses?api-version=2025-04-01-preview"
    assert dated.body == body


@pytest.mark.parametrize(
    ("query", "target"),
    [
        ("", b"/openai/v1/files?limit=1"),
        (
            "api-version=2024-10-21",
            b"/openai/files?limit=1&api-version=2024-10-21",
        ),
    ],
)
def test_what_is_passed_through_goes_below_the_shapes_base(
    query: str, target: bytes
) -> None:
    outbound = azure(
        query=query, body=b"", target=b"/v1/files?limit=1", dialect="passthrough"
    )
    assert (outbound.method, outbound.target) == ("GET", target)


def test_no_deployment_is_no_path() -> None:
    with pytest.raises(BadRequest, match="could not resolve upstream path"):
        azure(query="api-version=2024-10-21", body=b'{"messages":[]}')
