"""
Which routes take a request, the best first.

Hosts: exact before wildcard (the longest suffix first) before none. Paths: exact before
the longest prefix. Then priority, then the order in the file. What ``vars`` say is
looked at by the caller, route by route, because it may need the body.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from aigw.errors import MethodNotAllowed, NotFound
from aigw.model.path import own_path
from aigw.model.route import Route

#: Answers kept per table, and how long a path may be: a scan of random paths must not
#: grow it.
_KEPT: Final = 1024
_LONGEST: Final = 256

_Routes = tuple[Route, ...]


class _Paths:
    """The routes of one host pattern, by path."""

    __slots__ = ("_exact", "_lengths", "_prefixes")

    def __init__(self, routes: Iterable[Route]) -> None:
        self._exact: dict[str, _Routes] = {}
        self._prefixes: dict[str, _Routes] = {}
        for route in routes:  # in order of preference
            for path in dict.fromkeys(route.paths):
                if path.endswith("*"):
                    kind, path = self._prefixes, path[:-1]
                else:
                    kind = self._exact
                kind[path] = (*kind.get(path, ()), route)
        self._lengths = sorted(map(len, self._prefixes), reverse=True)
        self._lengths = list(dict.fromkeys(self._lengths))

    def find(self, path: str) -> Iterator[_Routes]:
        """The routes that take ``path``, one group for each pattern, the best first."""
        exact = self._exact.get(path)
        if exact is not None:
            yield exact
        for length in self._lengths:
            if length <= len(path):
                found = self._prefixes.get(path[:length])
                if found is not None:
                    yield found


class Match:
    """
    All routes, compiled once.

    :param routes: in the file's order.
    """

    def __init__(self, routes: Sequence[Route]) -> None:
        ordered = sorted(routes, key=lambda route: (-route.priority, route.order))
        by_host: dict[str, list[Route]] = {}
        for route in ordered:
            for host in dict.fromkeys(route.hosts or ("",)):
                by_host.setdefault(host, []).append(route)
        self._hosts = {
            host: _Paths(found)
            for host, found in by_host.items()
            if host and not host.startswith("*.")
        }
        # ".example.com" for "*.example.com": what a host must end with.
        self._suffixes = {
            host[1:]: _Paths(found)
            for host, found in by_host.items()
            if host.startswith("*.")
        }
        self._any = _Paths(by_host.get("", ()))
        self._strips = any(route.strip_prefix for route in routes)
        self._known: dict[tuple[str, str, str], _Routes] = {}

    def candidates(self, method: str, host: str, path: str) -> _Routes:
        """
        The routes that take such a request, the best first, never empty. The caller
        takes the first whose ``test`` holds; where none does, it is a 404.

        :param host: the request's host, lower case, without port; or ``""``.
        :param path: as :func:`aigw.model.path.safe_path` gives it.
        :raises NotFound: no route has such a host and path.
        :raises MethodNotAllowed: some have, but none takes the method.
        """
        key = (method, host, path)
        known = self._known.get(key)
        if known is not None:
            return known
        found = self._find(host, path)
        if not found:
            raise NotFound("no route matches the request", reason="route")
        taken = tuple(
            route for route in found if not route.methods or method in route.methods
        )
        if not taken:
            raise MethodNotAllowed(
                f"the route does not take the method {method[:32]}", reason="method"
            )
        if len(path) <= _LONGEST:
            if len(self._known) >= _KEPT:
                self._known.clear()
            self._known[key] = taken
        return taken

    def methods(self, host: str, path: str) -> frozenset[str]:
        """
        The methods that routes of this host and path take (the ``Allow`` field of a
        405, RFC 9110 section 15.5.6); empty where one takes all, or there is none.
        """
        found = self._find(host, path)
        if not all(route.methods for route in found):
            return frozenset()
        return frozenset[str]().union(*(route.methods for route in found))

    def _find(self, host: str, path: str) -> _Routes:
        """The routes that take host and path, whatever the method."""
        found: dict[Route, None] = {}
        own = own_path(path) if self._strips else path
        for paths in self._of_host(host.rstrip(".")):
            for group in paths.find(path):
                found.update(dict.fromkeys(group))
            if own != path:
                for group in paths.find(own):
                    stripped = (route for route in group if route.strip_prefix)
                    found.update(dict.fromkeys(stripped))
        return tuple(found)

    def _of_host(self, host: str) -> Iterator[_Paths]:
        exact = self._hosts.get(host)
        if exact is not None:
            yield exact
        if self._suffixes:
            dot = host.find(".", 1)
            while dot >= 0:
                suffix = self._suffixes.get(host[dot:])
                if suffix is not None:
                    yield suffix
                dot = host.find(".", dot + 1)
        yield self._any
