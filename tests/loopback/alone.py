"""
A gateway in a process of its own, whose memory is nobody else's:
``python -m tests.loopback.alone FRONT PROVIDER_PORT`` prints the port it listens on.
"""

from __future__ import annotations

import gc
import sys
from typing import Any

from twisted.internet import reactor as _reactor

from aigw.service import Gateway
from tests.exchange.site import Kept

from .house import front_of, settings

reactor: Any = _reactor


def main(front: str, port: int) -> None:
    gateway = Gateway(reactor, settings(port, {}, {}), Kept())
    listening = reactor.listenTCP(0, front_of(front, gateway), interface="127.0.0.1")
    print(listening.getHost().port, flush=True)
    gc.freeze()
    reactor.run()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
