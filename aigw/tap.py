"""What ``twist aigw`` and ``twistd aigw`` run: options, and the service."""

from __future__ import annotations

import os
import sys
from typing import Any, NoReturn

from twisted.application.service import IService
from twisted.logger import LogLevel, textFileLogObserver
from twisted.python.usage import Options as UsageOptions
from twisted.python.usage import UsageError

from aigw.errors import ConfigError


class Options(UsageOptions):
    """The command line. ``settings`` are loaded, and refused, while it is parsed."""

    synopsis = "[options]"
    longdesc = (
        "An AI gateway that relays streams as they come. Without --config it listens on"
        " loopback, for the providers whose keys are in the environment, or for the"
        " built-in mock provider where there are none."
    )
    optParameters = [  # noqa: RUF012  # Twisted reads it off the class
        ["config", "c", None, "The configuration file (YAML or JSON)."],
    ]
    optFlags = [  # noqa: RUF012
        ["check", None, "Check the configuration and exit: 0 if it is good, else 1."],
        ["print", None, "With --check: print it, with secrets masked."],
    ]

    def __init__(self) -> None:
        UsageOptions.__init__(self)
        self["listen"] = []
        self["admin"] = []

    # Twisted shows the text of these two as it stands, line breaks and all.

    def opt_listen(self, description: str) -> None:
        """Serve clients here (e.g. tcp:9080) instead. May be repeated."""
        self["listen"].append(description)

    def opt_admin(self, description: str) -> None:
        """Serve health checks here instead. May be repeated."""
        self["admin"].append(description)

    def postOptions(self) -> None:
        if self["print"] and not self["check"]:
            raise UsageError("--print goes with --check")
        from twisted.internet import reactor

        from aigw.daemon import MOCK_URL
        from aigw.extensions import Extensions
        from aigw.worker import configuration, inherited

        path = self["config"]
        try:
            self.extensions = Extensions(reactor)
            if path is None:
                settings = self.extensions.zero(os.environ, MOCK_URL)
            else:
                worker = inherited(os.environ) is not None
                source = configuration() if worker else path
                settings = self.extensions.load(source, os.environ, path)
            self.settings = settings.listening(self["listen"], self["admin"])
            if self["check"]:
                self._try_listeners(reactor)
        except ConfigError as error:
            _refuse(error)
        if self["check"]:
            self._show()
            raise SystemExit(0)

    def _try_listeners(self, reactor: Any) -> None:
        """:raises ConfigError: a description cannot be read. Nothing listens."""
        from aigw.listen import endpoint_of

        problems: list[str] = []
        for description in (
            *self.settings.server.endpoints,
            *self.settings.admin.endpoints,
        ):
            if description.startswith("systemd:"):
                continue  # only systemd gives a process those sockets
            try:
                endpoint_of(reactor, description)
            except ConfigError as error:
                problems += error.problems
        if problems:
            raise ConfigError(problems)

    def _show(self) -> None:
        from aigw.config.show import show

        for warning in self.settings.warnings:
            print(f"warning: {warning}", file=sys.stderr)
        if self["print"]:
            print(show(self.settings), end="")


def makeService(options: Options) -> IService:
    """The gateway that ``options`` ask for."""
    from twisted.internet import reactor

    from aigw.worker import inherited

    _log_to_stderr(options)
    settings, path = options.settings, options["config"]
    kind: Any
    if (
        path is not None
        and inherited(os.environ) is None
        and settings.server.processes > 1
    ):
        from aigw.workers import Fleet as kind
    else:
        from aigw.daemon import Daemon as kind
    try:
        service: IService = kind(
            reactor,
            settings,
            path,
            os.environ,
            options.extensions,
            listen=options["listen"],
            admin=options["admin"],
        )
    except ConfigError as error:
        _refuse(error)
    return service


def _refuse(error: ConfigError) -> NoReturn:
    """Say what is wrong with the configuration, and no more: no traceback helps."""
    print(error, file=sys.stderr)
    raise SystemExit(1) from error


def _log_to_stderr(options: Options) -> None:
    """
    Under ``twist``, let the daemon's own log go to stderr as text, for stdout belongs
    to the access log, from the level that the configuration names. What the command
    line says of it wins. ``twistd`` has options of its own for all of that.
    """
    parent: Any = getattr(options, "parent", None)
    if parent is not None and parent.get("logFile") is sys.stdout:
        parent["logFile"] = sys.stderr
        if not any(word.startswith("--log-format") for word in sys.argv):
            parent["fileLogObserverFactory"] = textFileLogObserver
        if parent.get("logLevel") is LogLevel.info:
            parent["logLevel"] = LogLevel.levelWithName(options.settings.log.level)
