"""``ai-proxy``: one provider behind a route."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import msgspec
from msgspec import Meta

from .auth import Auth
from .endpoint import endpoint_of
from .meta import PluginMeta
from .part import SECRET_URL, Check, Part, Positive, about
from .transport import Transport


def _names_model(options: dict[str, Any]) -> None:
    if not isinstance(options.get("model", ""), str):
        raise ValueError("model is no string")


#: Dialects that calls can be converted to.
Chat = Literal[
    "anthropic-messages",
    "bedrock-converse",
    "bedrock-invoke",
    "gemini",
    "openai-chat",
    "openai-responses",
    "vertex-raw-predict",
]


class ProviderConf(Part, frozen=True, kw_only=True):
    """Where in a cloud the provider is, and what is spoken with it."""

    project_id: Annotated[
        Annotated[str, Meta(min_length=1)] | None, about("The Google Cloud project.")
    ] = None
    region: Annotated[
        Annotated[str, Meta(pattern=r"^[a-zA-Z0-9-]+$")] | None,
        about("The cloud's region; part of the provider's host name."),
    ] = None
    dialect: Annotated[
        Chat | None,
        about(
            "[new] The dialect the provider is asked in, one that it speaks. Chat in"
            " any other is converted to it, where the provider speaks that too. Unset,"
            " the provider is asked in the client's dialect if it speaks it, else in"
            " the one that carries most."
        ),
    ] = None


class LlmOptions(Part, frozen=True, kw_only=True):
    """Settings written in each provider's own words."""

    max_tokens: Annotated[
        Positive | None,
        about("Cap of output tokens; replaces what the client asked for."),
    ] = None


class Override(Part, frozen=True, kw_only=True):
    """What replaces the provider's own address and the client's body."""

    endpoint: Annotated[
        Annotated[str, Check(endpoint_of, "`http(s)://host[:port][/path][?query]`")]
        | None,
        SECRET_URL,
        about(
            "Where the provider is. With a path, path and query are used as they are;"
            " without one the provider computes them."
        ),
    ] = None
    llm_options: Annotated[
        LlmOptions, about("Settings written in the provider's own words.")
    ] = LlmOptions()
    request_body: Annotated[
        dict[
            Literal[
                "anthropic-messages",
                "bedrock-converse",
                "bedrock-invoke",
                "gemini",
                "openai-chat",
                "openai-embeddings",
                "openai-responses",
                "passthrough",
                "vertex-predict",
                "vertex-raw-predict",
            ],
            dict[str, Any],
        ],
        about("Partial bodies by dialect, merged into the outgoing one."),
    ] = msgspec.field(default_factory=dict)
    request_body_force_override: Annotated[
        bool, about("Whether `request_body` replaces what the client sent.")
    ] = False


#: Who tells which models there are.
ModelsFrom = Annotated[
    Literal["config", "upstream"] | None,
    about(
        "[new] Who tells the models at `/v1/models` and `/v1beta/models`, and each"
        " below: `config`, by the names in this file; `upstream`, by all instances,"
        " asked with the credentials here (kept 60 s, failures left out). Unset,"
        " such requests are relayed as any other."
    ),
]


class Use(Transport, frozen=True, kw_only=True):
    """One use of a provider."""

    provider: Annotated[str, Meta(min_length=1), about("The provider's name.")]
    auth: Annotated[
        Auth,
        Check(lambda _: None, "`{}` where the client's own credentials are to pass"),
        about("Credentials sent to the provider."),
    ]
    provider_conf: Annotated[
        ProviderConf, about("Where in a cloud it is, and what it is asked in.")
    ] = ProviderConf()
    options: Annotated[
        dict[str, Any],
        Check(_names_model, "an object whose `model`, if any, is a string"),
        about("Fields written over the outgoing body, `model` among them."),
    ] = msgspec.field(default_factory=dict)
    override: Annotated[
        Override, about("What replaces the provider's address and the client's body.")
    ] = Override()


class AiProxy(Use, frozen=True, kw_only=True):
    """One provider behind a route."""

    #: What takes several instances, or is said of one among several.
    refused: ClassVar[Mapping[str, str]] = dict.fromkeys(
        (
            *("instances", "balancer", "semantic_opts", "fallback_strategy"),
            *("fallback_http_statuses", "max_retries", "retry_on_failure_within_ms"),
            *("retry", "hedge", "on_stream_failure", "breaker", "cooldown_max_ms"),
            *("debug_headers", "checks", "max_concurrent", "models", "model_map"),
        ),
        "a field of ai-proxy-multi; accepted: there, with one instance or more",
    )

    models_from: ModelsFrom = None
    meta: Annotated[PluginMeta, about("What every plugin object may hold.")] = (
        msgspec.field(name="_meta", default=PluginMeta())
    )
