"""
``python -m tests.matrix``: run every client, tell what failed, and write what became of
each cell. Ends with status 1 if anything failed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from twisted.internet import reactor as _reactor
from twisted.internet.threads import deferToThread
from twisted.python.failure import Failure

from aigw.mock import Mock

from . import npm
from .results import Results, in_page
from .run import PYTHON, for_node, gateway, run

reactor: Any = _reactor


def main() -> int:
    options = _options()
    # Every request is looked at when all is over, or nearly so.
    mock = Mock(reactor, keep=100_000)
    port = reactor.listenTCP(0, mock, interface="127.0.0.1")
    results: list[Results] = []
    began = time.monotonic()
    running = deferToThread(_run, mock, port.getHost().port, options)
    running.addCallbacks(results.append, _told)
    running.addBoth(lambda _: reactor.stop())
    reactor.run()
    if not results:
        return 1
    (result,) = results
    if result.without_npm:
        print(result.without_npm, file=sys.stderr)
    for place, became in result.failed().items():
        print(f"{place}: {became}")
    seconds = time.monotonic() - began
    asked = len(mock.requests)
    print(f"{len(result.cells)} cells, {asked} requests, {seconds:.1f} s")
    if options.save:
        result.save(options.save)
    if result.failed():
        return 1
    if options.page:
        page = options.page.read_text()
        options.page.write_text(page.replace(in_page(page), result.table()))
    return 0


def _told(failure: Failure) -> None:
    failure.printTraceback(sys.stderr)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.matrix")
    parser.add_argument(
        "--only", default="", help="part of `client / dialect / feature` to be run"
    )
    parser.add_argument("--reactor", default="", help="the daemon's")
    parser.add_argument("--save", type=Path, help="file for what became of each cell")
    parser.add_argument("--page", type=Path, help="page in which the table stands")
    options = parser.parse_args()
    if options.only and options.page:
        parser.error("a table of a part would hold nothing of the rest")
    return options


def _run(mock: Mock, port: int, options: argparse.Namespace) -> Results:
    results = Results()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        makers = PYTHON
        try:
            node = stack.enter_context(npm.running(folder / "node.log"))
            makers += for_node(node)
        except npm.NoNpm as error:
            results.without_npm = str(error)
        base = stack.enter_context(gateway(folder, port, options.reactor))
        results.cells = run(mock, base, makers, options.only)
    return results


if __name__ == "__main__":
    sys.exit(main())
