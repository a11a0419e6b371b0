"""What a configuration comes to: all that the rest of aigw sees of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from aigw.model.route import Route

from .consumers import Consumer
from .file import File
from .log import Log
from .server import Admin, Server
from .state import State


@dataclass(frozen=True, slots=True)
class Settings:
    """
    A configuration that was read, checked and compiled as a whole.

    :ivar routes: the routes that are switched on, in the file's order.
    :ivar warnings: what was accepted and ignored, and what the operator should know.
    :ivar sha256: of the file's bytes, hexadecimal.
    :ivar source: those bytes.
    :ivar file: the file as read, defaults filled in.
    :ivar written: path to text of every string of it that held a reference.
    """

    server: Server
    admin: Admin
    log: Log
    state: State
    routes: tuple[Route, ...]
    consumers: tuple[Consumer, ...]
    warnings: tuple[str, ...]
    sha256: str
    source: bytes = field(repr=False)
    file: File
    written: Mapping[str, str] = field(default_factory=dict)

    def fixed(self) -> dict[str, Any]:
        """What is read at start alone, by its path in the file."""
        server = self.server
        return {
            "server.listen": server.listen,
            "server.workers": server.workers,
            "server.max_connections": server.max_connections,
            "server.max_buffered_bytes": server.max_buffered_bytes,
            "server.trusted_proxies": server.trusted_proxies,
            "admin": self.admin,
            "log": self.log,
        }

    def listening(
        self, listen: Sequence[str] = (), admin: Sequence[str] = ()
    ) -> Settings:
        """
        The same with other listeners, as the command line asks for.

        :param listen: endpoint descriptions for clients; empty leaves the file's.
        :param admin: endpoint descriptions for the admin listener, likewise.
        """
        changed = self
        if listen:
            server = msgspec.structs.replace(self.server, listen=tuple(listen))
            file = msgspec.structs.replace(changed.file, server=server)
            written = self._without("server.listen[")
            changed = replace(changed, server=server, file=file, written=written)
        if admin:
            listener = msgspec.structs.replace(self.admin, listen=tuple(admin))
            file = msgspec.structs.replace(changed.file, admin=listener)
            written = changed._without("admin.listen[")
            changed = replace(changed, admin=listener, file=file, written=written)
        return changed

    def _without(self, prefix: str) -> dict[str, str]:
        """``written`` without what stood under ``prefix``."""
        return {
            path: text
            for path, text in self.written.items()
            if not path.startswith(prefix)
        }
