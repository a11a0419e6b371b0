"""
The ``aigw`` command. Twisted is imported when a subcommand runs, and the reactor inside
functions only, so that ``aigw --help`` answers at once.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any, Final

from aigw import __version__

#: Where the mock provider listens unless told otherwise.
MOCK_LISTENS: Final = "tcp:9081:interface=127.0.0.1"


def main(argv: Sequence[str] | None = None) -> int:
    """
    Run one subcommand.

    :param argv: the arguments after the program's name; those of the process if None.
    :returns: the exit status, where the subcommand does not exit by itself.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments[:1] == ["run"]:
        # Not argparse's: these options are those of the twist plugin, and its own.
        return _run(arguments[1:])
    options = _parser().parse_args(arguments)
    status: int = options.go(options)
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="aigw", description="The correct-streaming AI gateway."
    )
    parser.add_argument("--version", action="version", version=f"aigw {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    # For the help alone: main() takes it first.
    commands.add_parser(
        "run",
        help="serve (the options are those of `twist aigw`: --config FILE, --check, …)",
        add_help=False,
    )
    mock = commands.add_parser(
        "mock",
        help="serve the mock provider",
        description="Serve the mock provider, which misbehaves as the model's name"
        " asks: mock-n100-d20-stall50. See docs/mock.md.",
    )
    mock.add_argument(
        "--listen",
        action="append",
        metavar="ENDPOINT",
        help=f"a Twisted endpoint description, repeatable (default: {MOCK_LISTENS})",
    )
    mock.set_defaults(go=_mock)
    demo = commands.add_parser(
        "demo",
        help="stream one completion through a gateway of its own",
        description="Start the mock provider and a gateway on free loopback ports,"
        " stream one completion through them, and say how it went.",
    )
    demo.add_argument(
        "--model", default="mock-d40", help="what to ask for (default: %(default)s)"
    )
    demo.set_defaults(go=_demo)
    return parser


def _run(arguments: list[str]) -> int:
    # What the `twist` script itself imports; there is no public name for it.
    from twisted.application.twist._twist import Twist

    Twist.main(["aigw", "aigw", *arguments])
    return 0


def _mock(options: argparse.Namespace) -> int:
    from twisted.internet.defer import Deferred
    from twisted.internet.endpoints import serverFromString
    from twisted.internet.error import CannotListenError

    from aigw.mock import Mock

    async def serve(reactor: Any) -> None:
        # A provider under load, not under test: nobody looks at the bytes it sent.
        mock = Mock(reactor, keep_bytes=0)
        for description in options.listen or [MOCK_LISTENS]:
            port = await serverFromString(reactor, description).listen(mock)
            print(f"mock provider: {_shown(port.getHost())}", flush=True)
        await Deferred()  # until a signal ends the process

    try:
        return _react(serve)
    except (CannotListenError, ValueError) as error:
        print(f"aigw mock: {error}", file=sys.stderr)
        return 1


def _demo(options: argparse.Namespace) -> int:
    from aigw.demo import DemoFailed, demo

    async def show(reactor: Any) -> None:
        await demo(reactor, options.model, sys.stdout)

    try:
        return _react(show)
    except DemoFailed as error:
        print(f"aigw demo: {error}", file=sys.stderr)
        return 1


def _react(run: Any) -> int:
    """
    Run a coroutine function of the reactor to its end.

    :raises Exception: what it raised; :func:`twisted.internet.task.react` would print a
        traceback, and a user who mistyped an address deserves a sentence.
    """
    from twisted.internet.task import react

    failures: list[BaseException] = []

    async def guarded(reactor: Any) -> None:
        try:
            await run(reactor)
        except Exception as error:
            failures.append(error)

    try:
        react(guarded)
    except SystemExit as done:
        if failures:
            raise failures[0] from None
        return int(done.code or 0)
    return 0


def _shown(address: Any) -> str:
    """A listening address as a URL; as it is where it has none."""
    from twisted.internet.address import IPv4Address, IPv6Address

    if isinstance(address, IPv6Address):
        return f"http://[{address.host}]:{address.port}"
    if isinstance(address, IPv4Address):
        return f"http://{address.host}:{address.port}"
    return str(address)


if __name__ == "__main__":
    sys.exit(main())
