"""
Which providers a configuration may name, and what each asks for. The providers
themselves are another room: who loads a configuration hands over a mapping of their
names to their own hosts.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import get_args

from .proxy import Chat, Use
from .reading import Reader

#: Provider name to the host it reaches without an endpoint (``{region}`` stands for
#: ``provider_conf.region``); None where an endpoint must be configured.
Hosts = Mapping[str, str | None]

#: The reference's own names: known even where this version has no code for them.
REFERENCE = frozenset(
    """
    aimlapi anthropic azure-openai bedrock deepseek gemini openai openai-compatible
    openrouter vertex-ai
    """.split()
)


def default_host(conf: Use, hosts: Hosts) -> str:
    """The host of a provider without an endpoint; ``""`` where it is not known."""
    host = hosts.get(conf.provider) or ""
    return host.replace("{region}", conf.provider_conf.region or "")


def check_provider(conf: Use, path: str, reader: Reader, hosts: Hosts) -> None:
    """Note what is wrong with the choice of a provider and with what it needs."""
    name = conf.provider
    if name not in hosts:
        reader.problem(f"{path}.provider", _unavailable(name, hosts))
        return
    override = f"{path}.override"
    needs_endpoint = hosts[name] is None and conf.override.endpoint is None
    if needs_endpoint and reader.sound(override):
        reader.problem(
            f"{override}.endpoint",
            f"missing; the provider {name} has no host of its own",
        )
    if not reader.sound(f"{path}.provider_conf"):
        return
    place = conf.provider_conf
    spoken = reader.dialects.get(name)
    if place.dialect is not None and spoken and place.dialect not in spoken:
        chat = ", ".join(sorted(set(spoken) & set(get_args(Chat))))
        reader.problem(
            f"{path}.provider_conf.dialect",
            f"found {place.dialect}, which {name} does not speak; accepted: {chat}",
        )
    if name == "vertex-ai" and conf.override.endpoint is None:
        for field in ("project_id", "region"):
            if getattr(place, field) is None and reader.sound(override):
                reader.problem(
                    f"{path}.provider_conf.{field}",
                    "missing; vertex-ai needs project_id and region, or"
                    " override.endpoint",
                )
    if name == "bedrock":
        if place.region is None:
            reader.problem(
                f"{path}.provider_conf.region", "missing; bedrock needs a region"
            )
        if conf.auth.aws is None and not conf.auth.header:
            reader.problem(
                f"{path}.auth.aws",
                "missing; bedrock needs auth.aws, or a bearer key in auth.header",
            )


def _unavailable(name: str, hosts: Hosts) -> str:
    there = ", ".join(sorted(hosts))
    if name in REFERENCE:
        return f"{name} is not implemented by this version; accepted: {there}"
    near = difflib.get_close_matches(name, sorted(hosts.keys() | REFERENCE), n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    return f"found {name[:64]!r}; {hint}accepted: {there}"
