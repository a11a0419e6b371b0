"""
TLS at the ends: nginx on the load's core, since the tools in C speak plain HTTP.

Towards clients it takes plain requests and makes them over TLS; towards the provider it
takes TLS and passes it on plain. Its time is not counted.
"""

from __future__ import annotations

import getpass
import os
import subprocess
from pathlib import Path

from .processes import Process
from .render import Wiring, nginx


def certificate(folder: Path) -> None:
    """
    Make ``cert.pem`` and ``key.pem`` for localhost in ``folder``.

    :raises subprocess.CalledProcessError: openssl refuses; it has said why.
    """
    if (folder / "cert.pem").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-nodes", "-days", "3650"),
            *("-pkeyopt", "ec_paramgen_curve:prime256v1", "-subj", "/CN=localhost"),
            *("-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
            *("-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")),
        ],
        check=True,
        capture_output=True,
    )


def start(program: str, wiring: Wiring, cores: str) -> Process:
    """
    The edge, once it listens.

    :param program: where nginx is.
    :param wiring: ``Setup.TLS_PROVIDER`` makes TLS of plain requests, towards a proxy;
        ``Setup.TLS_CLIENT`` takes TLS, from one.
    :raises NotReady: nginx refuses.
    """
    file = wiring.folder / "edge.conf"
    file.write_text(nginx(wiring, getpass.getuser() if os.geteuid() == 0 else ""))
    command = [program, "-p", str(wiring.folder), "-c", str(file), "-e", "stderr"]
    edge = Process("edge", command, cores, wiring.folder)
    try:
        edge.wait_port(wiring.port, 10)
    except BaseException:
        edge.stop()
        raise
    return edge
