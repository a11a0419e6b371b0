"""Runs the matrix: a daemon, the mock provider, a Node process, and every client."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

from aigw.mock import Mock
from tests.process.programs import Daemon

from . import npm
from .anthropic_messages import AnthropicMessages
from .bedrock_converse import BedrockConverse
from .bedrock_invoke import BedrockInvoke
from .cell import Cell
from .features import FEATURES
from .gemini import Gemini
from .openai_chat import OpenAIChat
from .openai_responses import OpenAIResponses
from .reasons import note, reason
from .results import FAILED, PASSED
from .turns import Client
from .upstreams import FIELD, UPSTREAMS, Upstream

#: What makes a client, from the gateway's address and fields for each request.
Maker = Callable[[str, dict[str, str]], Client]

#: Pairs tried at once.
_AT_ONCE: Final = 6

#: (client, upstream's dialect, feature) to what became of it.
Cells = dict[tuple[str, str, str], str]

PYTHON: Final[tuple[Maker, ...]] = (
    OpenAIChat,
    OpenAIResponses,
    AnthropicMessages,
    BedrockConverse,
    partial(BedrockConverse, signed=False),
    BedrockInvoke,
    Gemini,
)


def for_node(node: npm.Node) -> tuple[Maker, ...]:
    """The npm packages."""
    return (
        partial(npm.NpmClient, node, OpenAIChat, "chat", "npm openai (chat)"),
        partial(
            npm.NpmClient, node, OpenAIResponses, "responses", "npm openai (responses)"
        ),
        partial(
            npm.NpmClient, node, AnthropicMessages, "anthropic", "npm @anthropic-ai/sdk"
        ),
    )


@contextmanager
def gateway(folder: Path, provider: int, reactor: str) -> Iterator[str]:
    """
    A daemon with a route to each upstream; its address.

    :param provider: the mock provider's port.
    :param reactor: the daemon's, as ``twist`` calls it.
    """
    daemon = Daemon(folder, provider)
    daemon.config["routes"] = [upstream.route(provider) for upstream in UPSTREAMS]
    with daemon.running(reactor=reactor):
        yield f"http://127.0.0.1:{daemon.port}"


def run(mock: Mock, base: str, makers: tuple[Maker, ...], only: str = "") -> Cells:
    """
    Try every feature of every pair. Blocks; not to be called in the reactor's thread.

    :param only: a part of ``client / upstream / feature``; the others are left out.
    """
    results: Cells = {}
    pairs = [(maker, upstream) for upstream in UPSTREAMS for maker in makers]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        jobs = [
            pool.submit(_pair, mock, base, maker, upstream, only)
            for maker, upstream in pairs
        ]
        for job in jobs:
            results.update(job.result())
    return results


def _pair(mock: Mock, base: str, maker: Maker, upstream: Upstream, only: str) -> Cells:
    client = maker(base, {FIELD: upstream.dialect})
    results: Cells = {}
    try:
        for feature in FEATURES:
            place = (client.name, upstream.dialect, feature)
            if only in " / ".join(place):
                results[place] = _try(mock, client, upstream, feature)
    finally:
        client.close()
    return results


def _try(mock: Mock, client: Client, upstream: Upstream, feature: str) -> str:
    said = reason(client.dialect, upstream.dialect, feature)
    if said:
        return said
    mark = f"[{client.name} / {upstream.dialect} / {feature}]"
    try:
        FEATURES[feature](Cell(client, upstream, mock, mark))
    except Exception as error:
        traceback.print_exc(file=sys.stderr)
        return f"{FAILED}{type(error).__name__}: {error}"
    return PASSED + note(client.dialect, upstream.dialect, feature)
