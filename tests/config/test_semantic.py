"""semantic_opts: what the semantic balancer needs, and its cross-checks."""

from __future__ import annotations

from typing import Any

import pytest

from aigw.config.show import show
from aigw.model.outbound import Origin, Trust
from aigw.model.semantic import Embedding, Semantic

from .samples import loaded
from .test_multi import many, one, wrong

EMBEDDINGS = {
    "provider": "openai",
    "model": "small",
    "auth": {"header": {"Authorization": "Bearer s3cret"}},
}
SEMANTIC = {"algorithm": "semantic"}


def instances(**fields: Any) -> list[dict[str, Any]]:
    return [one("a", examples=["x"], **fields), one("b", examples=["y", "z"])]


def opts(**fields: Any) -> dict[str, Any]:
    return {
        "balancer": SEMANTIC,
        "semantic_opts": {
            "embeddings": {**EMBEDDINGS, **fields.pop("e", {})},
            **fields,
        },
    }


def semantic(**fields: Any) -> Semantic:
    route = loaded(many(*instances(), **opts(**fields))).routes[0]
    assert route.policy is not None
    assert route.policy.balancer == "semantic"
    assert route.policy.semantic is not None
    return route.policy.semantic


def test_defaults_are_the_references() -> None:
    assert semantic() == Semantic(
        Embedding(
            Origin("https", "api.openai.com", 443),
            b"/v1/embeddings",
            "small",
            ((b"authorization", b"Bearer s3cret"),),
            3.0,
        ),
        0.0,
        None,
        False,
    )


def test_every_field_arrives() -> None:
    found = semantic(
        e={
            "provider": "azure-openai",
            "endpoint": "http://h:8080/openai/deployments/e/embeddings?api-version=1",
            "auth": {"query": {"key": "a&b"}},
            "timeout": 500,
            "ssl_verify": False,
        },
        threshold=-0.5,
        fallback="b",
        debugging=True,
    )
    embedding = found.embedding
    assert embedding.origin == Origin("http", "h", 8080, trust=Trust(verify=False))
    assert embedding.target == (
        b"/openai/deployments/e/embeddings?api-version=1&key=a%26b"
    )
    assert (embedding.timeout, embedding.headers) == (0.5, ())
    assert (found.threshold, found.fallback, found.debugging) == (-0.5, "b", True)


def test_examples_and_thresholds_of_instances_arrive() -> None:
    route = loaded(many(*instances(threshold=0.7), **opts())).routes[0]
    assert [each.examples for each in route.instances] == [("x",), ("y", "z")]
    assert [each.threshold for each in route.instances] == [0.7, None]


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"balancer": SEMANTIC}, "semantic_opts: missing"),
        (opts(threshold=2), "semantic_opts.threshold: found 2"),
        (opts(fallback="c"), "semantic_opts.fallback: found 'c'; accepted: a, b"),
        (opts(e={"provider": "bedrock"}), "semantic_opts.embeddings.provider: found"),
        (opts(e={"model": ""}), "semantic_opts.embeddings.model: found"),
        (opts(e={"timeout": 0}), "semantic_opts.embeddings.timeout: found 0"),
        (opts(e={"endpoint": "h/x"}), "semantic_opts.embeddings.endpoint: found"),
        (
            opts(e={"auth": {"gcp": {}}}),
            "semantic_opts.embeddings.auth.gcp: embeddings are asked for with",
        ),
        (
            opts(e={"auth": {"aws": {}}}),
            "semantic_opts.embeddings.auth.aws: embeddings are asked for with",
        ),
        (
            opts(e={"provider": "azure-openai"}),
            "semantic_opts.embeddings.endpoint: a path is missing",
        ),
        (
            opts(e={"provider": "azure-openai", "endpoint": "https://h/"}),
            "semantic_opts.embeddings.endpoint: a path is missing",
        ),
    ],
)
def test_what_is_wrong_is_told(fields: dict[str, Any], told: str) -> None:
    (found,) = wrong(*instances(), **fields)
    assert found.startswith(told)


@pytest.mark.parametrize("missing", ["provider", "model", "auth"])
def test_what_embeddings_must_have(missing: str) -> None:
    fields = opts()
    del fields["semantic_opts"]["embeddings"][missing]
    (found,) = wrong(*instances(), **fields)
    assert found.startswith(f"semantic_opts.embeddings.{missing}: missing")


def test_every_instance_needs_examples() -> None:
    found = wrong(*instances(), one("c"), **opts(fallback="c"))
    assert [line.split(";")[0] for line in found] == ["instances[2].examples: missing"]


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"examples": []}, "examples: found"),
        ({"examples": [""]}, "examples[0]: found ''"),
        ({"examples": ["x"] * 65}, "examples: found"),
        ({"examples": ["x"], "threshold": -1.1}, "threshold: found -1.1"),
    ],
)
def test_bounds_of_examples_and_thresholds(fields: dict[str, Any], told: str) -> None:
    (found,) = wrong(one("a", **fields), one("b", examples=["y"]), **opts())
    assert found.startswith(f"instances[0].{told}")


def test_settings_without_use_are_warned_of() -> None:
    fields = opts()
    del fields["balancer"]
    settings = loaded(many(*instances(), **fields))
    assert any("no use without" in warning for warning in settings.warnings)
    assert settings.routes[0].policy is not None
    assert settings.routes[0].policy.semantic is None


def test_credentials_are_not_shown() -> None:
    shown = show(loaded(many(*instances(), **opts())))
    assert "s3cret" not in shown


def test_without_a_ranker_embeddings_are_needed() -> None:
    (told,) = wrong(*instances(), balancer=SEMANTIC, semantic_opts={})
    assert told.startswith("semantic_opts.embeddings: missing")


def test_a_third_partys_ranker_needs_no_embeddings_and_no_examples() -> None:
    named = {"ranker": "words", "settings": {"ignore": ["the"]}, "threshold": 0.5}
    route = loaded(many(balancer=SEMANTIC, semantic_opts=named)).routes[0]
    assert route.policy is not None
    assert route.policy.semantic == Semantic(
        None, 0.5, ranker="words", settings={"ignore": ["the"]}
    )
