"""What `pip install` gives: the commands, the daemon under both runners, the plugin."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from .programs import PATIENCE, ROOT, answers, chat, frames, free_port, wait_for

pytestmark = pytest.mark.process

#: What a distribution is built from.
_SOURCES = ("setup.cfg", "pyproject.toml", "README.md", "LICENSE", "aigw", "twisted")
_LITTER = shutil.ignore_patterns("__pycache__", "dropin.cache", "*.egg-info", "build")


def run(*arguments: object, cwd: Path) -> str:
    """Run a command outside of the checkout; what it prints, should it succeed."""
    done = subprocess.run(
        [str(argument) for argument in arguments],
        cwd=cwd,
        env=environ(),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def environ() -> dict[str, str]:
    """An environment in which nothing of the checkout is found."""
    unwanted = ("PYTHONPATH", "VIRTUAL_ENV")
    return {
        name: value
        for name, value in os.environ.items()
        if name not in unwanted and not name.endswith("_API_KEY")
    }


def pip(python: Path, *arguments: object, cwd: Path) -> None:
    run(sys.executable, "-m", "pip", "--python", python, *arguments, cwd=cwd)


def copied_sources(to: Path) -> Path:
    to.mkdir()
    for name in _SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, to / name, ignore=_LITTER)
        else:
            shutil.copy(ROOT / name, to / name)
    return to


def environment(place: Path) -> Path:
    """
    A venv with the packages of this interpreter, aigw excepted; its ``bin``. They are
    found by a ``.pth`` file: it is not read for the ``.pth`` files beside them, one of
    which may lead to the checkout.
    """
    venv.create(place, with_pip=False)
    site = sysconfig.get_path("purelib", vars={"base": str(place)})
    present = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    Path(site, "present.pth").write_text("\n".join(present) + "\n")
    return place / "bin"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("wheel")
    sources = copied_sources(place / "sources")
    run(
        *(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"),
        *("--wheel-dir", place, sources),
        cwd=place,
    )
    (built,) = place.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ``bin`` of a venv that the wheel is installed in."""
    place = tmp_path_factory.mktemp("installed")
    programs = environment(place / "venv")
    pip(
        programs / "python",
        *("install", "--quiet", "--no-deps", "--ignore-installed", wheel),
        cwd=place,
    )
    return programs


def test_the_wheel_holds_all_of_aigw_and_one_file_of_twisted(wheel: Path) -> None:
    held = {
        name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info" not in name
    }
    assert {name for name in held if name.startswith("twisted/")} == {
        "twisted/plugins/aigw_plugin.py"
    }
    there = {
        str(path.relative_to(ROOT))
        for path in ROOT.glob("aigw/**/*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert held - {"twisted/plugins/aigw_plugin.py"} == there


def test_what_is_installed_is_not_the_checkout(installed: Path, tmp_path: Path) -> None:
    code = "import aigw, twisted; print(aigw.__file__); print(twisted.__file__)"
    ours, twisted = run(installed / "python", "-c", code, cwd=tmp_path).splitlines()
    assert Path(ours).is_relative_to(installed.parent)
    assert Path(twisted).name == "__init__.py", "twisted is hidden by ours"


def test_the_commands_tell_their_options(installed: Path, tmp_path: Path) -> None:
    told = run(installed / "python", "-m", "twisted", "aigw", "--help", cwd=tmp_path)
    assert "--config" in told
    assert "--listen" in told
    offered = run(installed / "aigw", "--help", cwd=tmp_path)
    assert {"run", "mock", "demo"} <= {*offered.split()}
    assert run(installed / "aigw", "--version", cwd=tmp_path).startswith("aigw ")


@contextmanager
def running(command: list[object], cwd: Path) -> Iterator[subprocess.Popen[bytes]]:
    log = cwd / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(argument) for argument in command],
            cwd=cwd,
            env=environ(),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(PATIENCE)


def script(programs: Path, name: str) -> list[object]:
    """Twisted's own command, by the venv's interpreter."""
    code = f"import sys; sys.argv[0] = {name!r}; "
    if name == "twistd":
        code += "from twisted.scripts.twistd import run; run()"
    else:
        code += "from twisted.application.twist._twist import Twist; Twist.main()"
    return [programs / "python", "-c", code]


@pytest.mark.parametrize("runner", ["twist", "twistd -n"])
def test_the_quickstart_serves_and_ends(
    runner: str, installed: Path, tmp_path: Path
) -> None:
    name, *options = runner.split()
    provider, port, admin = free_port(), free_port(), free_port()
    # The example is taken as it stands, but for the provider's port.
    config = (ROOT / "examples" / "quickstart.yaml").read_text()
    assert "127.0.0.1:9081" in config
    (tmp_path / "quickstart.yaml").write_text(
        config.replace("127.0.0.1:9081", f"127.0.0.1:{provider}")
    )
    mock = [installed / "aigw", "mock", "--listen", on(provider)]
    daemon = [
        *(*script(installed, name), *options, "aigw"),
        *("--config", "quickstart.yaml", "--listen", on(port), "--admin", on(admin)),
    ]
    with running(mock, tmp_path), running(daemon, tmp_path) as process:
        wait_for(lambda: answers(provider, "/stats"), "the mock provider")
        wait_for(
            lambda: process.poll() is not None or answers(admin, "/healthz/live"),
            "the daemon",
        )
        assert process.poll() is None, (tmp_path / "log").read_text()
        assert answers(port, "/healthz/live")
        status, body = chat(port, "mock-n5", stream=True)
        assert (status, frames(body) > 5) == (200, True)
        assert body.endswith(b"data: [DONE]\n\n")
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == -signal.SIGTERM  # what a shell calls 143


def on(port: int) -> str:
    return f"tcp:{port}:interface=127.0.0.1"


def test_an_editable_install_finds_the_plugin(tmp_path: Path) -> None:
    sources = copied_sources(tmp_path / "sources")
    programs = environment(tmp_path / "venv")
    pip(
        programs / "python",
        *("install", "--quiet", "--no-deps", "--ignore-installed"),
        *("--config-settings", "editable_mode=compat", "--editable", sources),
        cwd=tmp_path,
    )
    code = "import aigw; print(aigw.__file__)"
    ours = run(programs / "python", "-c", code, cwd=tmp_path).strip()
    assert Path(ours).is_relative_to(sources)
    told = run(*script(programs, "twist"), "--help", cwd=tmp_path)
    assert "The correct-streaming AI gateway." in told
