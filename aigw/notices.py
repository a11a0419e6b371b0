"""What an operator is told when the gateway starts."""

from __future__ import annotations

from collections.abc import Iterable

from twisted.logger import Logger

from aigw.config.settings import Settings

from .listen import Listener

log = Logger()


def warn(settings: Settings, listeners: Iterable[Listener]) -> None:
    """
    Log what ``settings`` warn of, and who could spend credentials.

    :param listeners: those for clients, started.
    """
    for warning in settings.warnings:
        log.warn("{warning}", warning=warning)
    if any(route.injects for route in settings.routes):
        for listener in listeners:
            if not listener.local:
                log.warn(
                    "ANYBODY who reaches {where} can spend the credentials of "
                    "routes that identify no caller.",
                    where=listener.description,
                )
