"""The official npm packages, each as a client, all in one Node process."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from threading import Lock, Thread
from typing import Any, Final

from .anthropic_messages import AnthropicMessages
from .openai_chat import OpenAIChat
from .openai_responses import OpenAIResponses
from .turns import (
    SCHEMA,
    SCHEMA_NAME,
    TOOLS,
    Asking,
    Called,
    Failed,
    Failure,
    Told,
    Usage,
)

_HERE: Final = Path(__file__).parent / "npm"
_PATIENCE: Final = 30.0
_INSTALLING: Final = 300.0


class NoNpm(Exception):
    """There is no npm, or it could not install the packages."""


def install() -> Path:
    """
    Install what ``package.json`` pins, unless it is there; the Node to run.

    :raises NoNpm: says why not.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise NoNpm("npm is not installed, so its official clients were not run")
    node = _HERE / "node_modules" / ".bin" / "node"
    wanted = json.loads((_HERE / "package.json").read_text())["dependencies"]
    if _installed(wanted) and node.exists():
        return node
    command = [npm, "install", "--no-package-lock", "--no-audit", "--no-fund"]
    try:
        done = subprocess.run(
            command, cwd=_HERE, capture_output=True, text=True, timeout=_INSTALLING
        )
    except subprocess.TimeoutExpired as error:
        raise NoNpm(f"npm install took more than {_INSTALLING:g} s") from error
    if done.returncode or not node.exists():
        raise NoNpm(f"npm install failed: {done.stderr[-2000:]}")
    return node


def _installed(wanted: Mapping[str, str]) -> bool:
    for name, version in wanted.items():
        manifest = _HERE / "node_modules" / name / "package.json"
        if not manifest.exists():
            return False
        if json.loads(manifest.read_text())["version"] != version:
            return False
    return True


class Node:
    """The process; it may be asked by many threads at once."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._lock = Lock()
        self._numbers = count()
        self._waiting: dict[int, Future[dict[str, Any]]] = {}
        Thread(target=self._read, daemon=True).start()

    def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        """
        Ask, and wait for the answer.

        :raises Failed: the client raised an error of its own.
        """
        future: Future[dict[str, Any]] = Future()
        with self._lock:
            number = next(self._numbers)
            self._waiting[number] = future
            assert self._process.stdin is not None
            self._process.stdin.write(json.dumps({"number": number, **question}) + "\n")
            self._process.stdin.flush()
        answer = future.result(_PATIENCE)
        if "error" in answer:
            error = answer["error"]
            assert error["known"], f"{error['name']}: {error['message']}"
            raise Failed(Failure(error["name"], error["status"], error["message"]))
        return answer

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            answer = json.loads(line)
            self._waiting.pop(answer["number"]).set_result(answer)


def version() -> str:
    """
    That of the Node which runs the packages.

    :raises NoNpm: there is none.
    """
    told = subprocess.run([install(), "--version"], capture_output=True, text=True)
    return told.stdout.strip()


@contextmanager
def running(log: Path) -> Iterator[Node]:
    """
    The Node process.

    :param log: where its standard error goes.
    :raises NoNpm: it cannot be.
    """
    node = install()
    with (
        log.open("w") as stderr,
        subprocess.Popen(
            [str(node), str(_HERE / "ask.mjs")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        ) as process,
    ):
        try:
            yield Node(process)
        finally:
            process.kill()


#: What the packages raise where those of Python raise something else.
_RAISES: Final[Mapping[str, tuple[dict[int, str], dict[str, str]]]] = {
    "anthropic": (
        {503: "InternalServerError"},
        {"server": "APIError", "overloaded": "APIError"},
    )
}


class NpmClient:
    """
    One of the packages; see :class:`.turns.Client`.

    :param like: the Python client for the same API.
    :param kind: the module of ``npm/`` that uses it.
    """

    def __init__(
        self,
        node: Node,
        like: type[OpenAIChat | OpenAIResponses | AnthropicMessages],
        kind: str,
        name: str,
        base: str,
        headers: dict[str, str],
    ) -> None:
        errors, broken = _RAISES.get(kind, ({}, {}))
        self.name = name
        self.dialect = like.dialect
        self.words = replace(
            like.words,
            errors={**like.words.errors, **errors},
            broken={**like.words.broken, **broken},
        )
        self._node = node
        self._question = {"kind": kind, "base": base, "headers": headers}

    def close(self) -> None:
        """The process closes them all."""

    def count(self, model: str, prompt: str) -> int:
        wanted = {"model": model, "prompt": prompt}
        return int(self._node.ask({**self._question, "count": wanted})["count"])

    def ask(self, asking: Asking) -> Told:
        before = asking.before
        wanted = {
            "model": asking.model,
            "prompt": asking.prompt,
            "stream": asking.stream,
            "tools": [[name, *tool] for name, tool in TOOLS.items()]
            if asking.tools
            else None,
            "image": base64.b64encode(asking.image).decode(),
            "think": asking.think,
            "schema": SCHEMA if asking.schema else None,
            "schema_name": SCHEMA_NAME,
            "before": None if before is None else before.kept,
            "results": list(asking.results.items()),
            "then": asking.then,
        }
        told = self._node.ask({**self._question, "asking": wanted})["told"]
        usage, calls = told.pop("usage"), told.pop("calls")
        return Told(
            **told, usage=Usage(**usage), calls=[Called(**call) for call in calls]
        )
