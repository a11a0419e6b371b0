"""The mock provider in each of its dialects, and how the gateway is told of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

#: The field by which a client says which upstream it wants.
FIELD: Final = "x-upstream"


@dataclass(frozen=True)
class Upstream:
    """
    A provider that speaks one dialect.

    :ivar dialect: that one.
    :ivar plugin: fields of ``ai-proxy``.
    :ivar vendor: the family of the models asked for; how reasoning is asked of one may
        depend on it.
    :ivar path: what the paths it is asked at match.
    :ivar broken: what kind of error it tells in a stream, and in which words.
    :ivar statuses: of its error answers.
    :ivar endpoint: the path to ask at, whatever the provider's own is.
    :ivar says: the dialect of its answers, where it only carries those of another.
    """

    dialect: str
    plugin: dict[str, Any]
    vendor: str
    path: str
    broken: tuple[str, str]
    statuses: tuple[int, ...] = (400, 401, 404, 429, 500, 503)
    says: str = ""
    endpoint: str = ""

    @property
    def answers(self) -> str:
        """The dialect in which its answers are written."""
        return self.says or self.dialect

    def model(self, knobs: str = "") -> str:
        """A model of that family which the mock provider answers by ``knobs``."""
        return f"{self.vendor}.mock{'-' * bool(knobs)}{knobs}"

    def asked_at(self, path: str) -> bool:
        """Whether a request for ``path`` is in this dialect."""
        return re.fullmatch(self.path, path) is not None

    def route(self, port: int) -> dict[str, Any]:
        """The route to the mock provider on ``port``."""
        endpoint = {"endpoint": f"http://127.0.0.1:{port}{self.endpoint}"}
        return {
            "id": self.dialect,
            "uri": "/*",
            "vars": [[f"http_{FIELD.replace('-', '_')}", "==", self.dialect]],
            "plugins": {
                "ai-proxy": {
                    **self.plugin,
                    "provider_conf": {
                        **self.plugin.get("provider_conf", {}),
                        # Whatever else the provider speaks.
                        "dialect": self.dialect,
                    },
                    "override": endpoint,
                }
            },
        }


_SERVER: Final = ("server", "The server had an error")

UPSTREAMS: Final = (
    Upstream(
        "openai-chat",
        {
            "provider": "openrouter",
            "auth": {"header": {"Authorization": "Bearer k"}},
        },
        "gpt-4o",
        "/v1/chat/completions",
        _SERVER,
        endpoint="/v1/chat/completions",
    ),
    Upstream(
        "openai-responses",
        {
            "provider": "openai",
            "auth": {"header": {"Authorization": "Bearer k"}},
        },
        "gpt-5",
        "/v1/responses",
        _SERVER,
    ),
    Upstream(
        "anthropic-messages",
        {
            "provider": "anthropic",
            "auth": {"header": {"x-api-key": "k"}},
        },
        "claude-sonnet-4-5",
        "/v1/messages",
        ("overloaded", "Overloaded"),
        (400, 401, 403, 404, 429, 500, 529),
    ),
    Upstream(
        "bedrock-converse",
        {
            "provider": "bedrock",
            "provider_conf": {"region": "us-east-1"},
            "auth": {"aws": {"access_key_id": "AKIDGATEWAY", "secret_access_key": "s"}},
        },
        "anthropic.claude-sonnet-4-5",
        "/model/[^/]+/converse(-stream)?",
        ("server", "The system encountered an unexpected error."),
        (400, 403, 404, 429, 500, 503),
    ),
    Upstream(
        "gemini",
        {
            "provider": "gemini",
            "auth": {"header": {"x-goog-api-key": "k"}},
        },
        "gemini-2.5-flash",
        "/v1(beta)?/models/[^/]+:(g|streamG)enerateContent",
        ("server", "An internal error has occurred."),
    ),
    Upstream(
        "bedrock-invoke",
        {
            "provider": "bedrock",
            "provider_conf": {"region": "us-east-1"},
            "auth": {"aws": {"access_key_id": "AKIDGATEWAY", "secret_access_key": "s"}},
        },
        "anthropic.claude-sonnet-4-5",
        "/model/[^/]+/invoke(-with-response-stream)?",
        ("server", "The system encountered an unexpected error."),
        (400, 403, 404, 429, 500, 503),
        says="anthropic-messages",
    ),
    Upstream(
        "vertex-raw-predict",
        {
            "provider": "vertex-ai",
            "provider_conf": {"project_id": "p", "region": "us-east5"},
            "auth": {"header": {"Authorization": "Bearer k"}},
        },
        "claude-sonnet-4-5",
        "/v1/projects/p/locations/us-east5/publishers/anthropic/models/[^/]+:"
        "(rawPredict|streamRawPredict)",
        ("overloaded", "Overloaded"),
        (400, 401, 403, 404, 429, 500, 529),
        says="anthropic-messages",
    ),
)
