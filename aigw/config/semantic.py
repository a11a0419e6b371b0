"""``semantic_opts``: how the semantic balancer compares requests and examples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import msgspec
from msgspec import Meta

from .auth import KeyAuth
from .endpoint import endpoint_of
from .part import SECRET_URL, Check, Milliseconds, Part, about

Threshold = Annotated[float, Meta(ge=-1, le=1)]


class EmbeddingsAuth(KeyAuth, frozen=True, kw_only=True):
    """Credentials sent to the embeddings provider."""

    refused: ClassVar[Mapping[str, str]] = {
        "aws": "embeddings are asked for with header or query",
        "gcp": "embeddings are asked for with header or query",
    }


class Embeddings(Part, frozen=True, kw_only=True):
    """Who turns texts into vectors."""

    provider: Annotated[
        Literal["openai", "azure-openai"], about("The provider's name.")
    ]
    model: Annotated[str, Meta(min_length=1), about("The embedding model.")]
    auth: Annotated[EmbeddingsAuth, about("Credentials sent to it.")]
    endpoint: Annotated[
        Annotated[str, Check(endpoint_of, "`http(s)://host[:port][/path][?query]`")]
        | None,
        SECRET_URL,
        about(
            "Where it is; unset, OpenAI's own. For azure-openai the full URL of the"
            " deployment's embeddings."
        ),
    ] = None
    timeout: Annotated[Milliseconds, about("How long a call may take, ms.")] = 3000
    ssl_verify: Annotated[
        bool, about("Whether the provider's certificate is checked.")
    ] = True


class SemanticOpts(Part, frozen=True, kw_only=True):
    """
    How the semantic balancer compares. Whatever goes wrong with it, the request is
    served by `fallback`.
    """

    embeddings: Annotated[
        Embeddings | None,
        about("Who turns texts into vectors; needed unless there is a `ranker`."),
    ] = None
    ranker: Annotated[
        Annotated[str, Meta(min_length=1)] | None,
        about(
            "[new] A third party's ranker, by its maker's name, instead of embeddings;"
            " `examples` are then its business."
        ),
    ] = None
    settings: Annotated[
        dict[str, Any], about("[new] What that ranker is made with.")
    ] = msgspec.field(default_factory=dict)
    threshold: Annotated[
        Threshold,
        about("The least likeness, -1 to 1; the default lets practically all pass."),
    ] = 0
    fallback: Annotated[
        str | None,
        about("The instance asked when none is like the request; unset, the first."),
    ] = None
    debugging: Annotated[
        bool,
        about(
            "Whether `X-AI-Semantic-Scores` and `X-AI-Semantic-Picked-Instance` are"
            " told."
        ),
    ] = False
