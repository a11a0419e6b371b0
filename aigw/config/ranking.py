"""From ``semantic_opts`` to the Semantic that the rest of aigw works with."""

from __future__ import annotations

from urllib.parse import quote

from aigw.model.outbound import Origin, Trust
from aigw.model.semantic import Embedding, Semantic

from .endpoint import endpoint_of, proxy_from
from .multi import AiProxyMulti, MultiInstance
from .reading import Reader
from .semantic import Embeddings

_OPENAI = "https://api.openai.com"


def semantic_of(conf: AiProxyMulti, path: str, reader: Reader) -> Semantic | None:
    """
    Compile the semantic balancer's settings; None for any other balancer. What is wrong
    is noted with ``reader``.

    :param path: where ``conf`` stands in the file.
    """
    opts = conf.semantic_opts
    if conf.balancer.algorithm != "semantic":
        if opts is not None:
            reader.warn(f"{path}.semantic_opts", "no use without algorithm: semantic")
        return None
    if opts is None:
        if reader.sound(f"{path}.semantic_opts"):
            reader.problem(
                f"{path}.semantic_opts", "missing; algorithm semantic needs it"
            )
        return None
    names = []
    for index, one in enumerate(conf.instances):
        if not isinstance(one, MultiInstance):
            continue
        names.append(one.name)
        here = f"{path}.instances[{index}].examples"
        if opts.ranker is None and not one.examples and reader.sound(here):
            reader.problem(here, "missing; algorithm semantic needs some of each")
    if opts.fallback is not None and opts.fallback not in names:
        reader.problem(
            f"{path}.semantic_opts.fallback",
            f"found {opts.fallback[:100]!r}; accepted: {', '.join(names)}",
        )
    here = f"{path}.semantic_opts.embeddings"
    embedding = None
    if opts.embeddings is not None:
        embedding = _embedding(opts.embeddings, here, reader)
    elif opts.ranker is None and reader.sound(here):
        reader.problem(here, "missing; needed unless there is a ranker")
    if embedding is None and opts.ranker is None:
        return None
    return Semantic(
        embedding,
        opts.threshold,
        opts.fallback,
        opts.debugging,
        opts.ranker or "",
        opts.settings,
    )


def _embedding(conf: Embeddings, path: str, reader: Reader) -> Embedding | None:
    azure = conf.provider == "azure-openai"
    if azure and (conf.endpoint is None or not endpoint_of(conf.endpoint).path):
        reader.problem(
            f"{path}.endpoint",
            "a path is missing; azure-openai needs the full URL of its embeddings",
        )
        return None
    endpoint = endpoint_of(conf.endpoint or _OPENAI)
    try:
        proxy = proxy_from(
            reader.environ, endpoint.scheme, endpoint.host, endpoint.port
        )
    except ValueError as error:
        reader.problem(f"{path}.endpoint", f"its way out: {error}")
        return None
    target = endpoint.path or "/v1/embeddings"
    pairs = [endpoint.query] if endpoint.query else []
    pairs += [
        f"{quote(name, safe='')}={quote(value, safe='')}"
        for name, value in conf.auth.query.items()
    ]
    if pairs:
        target = f"{target}?{'&'.join(pairs)}"
    return Embedding(
        origin=Origin(
            endpoint.scheme,
            endpoint.host,
            endpoint.port,
            trust=Trust(verify=conf.ssl_verify),
            proxy=proxy or None,
        ),
        target=target.encode("ascii"),
        model=conf.model,
        headers=tuple(
            (name.lower().encode("ascii"), value.encode("latin-1"))
            for name, value in conf.auth.header.items()
        ),
        timeout=conf.timeout / 1000,
    )
