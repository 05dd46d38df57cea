"""A real server for the tests: the one at MILLRACE_TEST_URL, or one of their own, started from MILLRACE_BIN."""

from __future__ import annotations

import functools
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from millrace import Millrace
from millrace.retry import Pauses

#: What a server does with a request; it raises what breaks a connection.
Handler = Callable[[httpx.Request], httpx.Response]

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if running := os.environ.get("MILLRACE_TEST_URL"):
        yield running
        return
    program = os.environ.get("MILLRACE_BIN")
    if not program:
        pytest.skip("neither MILLRACE_BIN nor MILLRACE_TEST_URL is set")
    folder = tmp_path_factory.mktemp("millrace")
    # A Postgres that root starts runs as another user, who must get in.
    for parent in (folder, folder.parent, folder.parent.parent):
        parent.chmod(0o711)
    command = [program, "up", "--listen", "127.0.0.1:0", "--workers", "1", "--data-dir", str(folder / "data")]
    process = subprocess.Popen([*command, "--models", str(ROOT / "models")], stdout=subprocess.PIPE, text=True, cwd=folder)
    try:
        assert process.stdout
        ready = next((line for line in process.stdout if line.startswith("ready on ")), None)
        assert ready, "millrace up did not get ready"
        yield ready.removeprefix("ready on ").strip()
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


@pytest.fixture
def client(url: str) -> Iterator[Millrace]:
    with Millrace(url) as client:
        yield client


@pytest.fixture
def scene() -> Path:
    return ROOT / "examples" / "scene.jpg"


@pytest.fixture
def shapes() -> Path:
    return ROOT / "examples" / "detect-shapes.json"


@pytest.fixture
def served_by(monkeypatch: pytest.MonkeyPatch) -> Callable[[Handler], None]:
    """Puts a function in the place of the network: all that a client sends comes to it."""

    def serve(handler: Handler) -> None:
        transport = httpx.MockTransport(handler)
        monkeypatch.setattr(httpx.HTTPTransport, "handle_request", lambda _, request: transport.handle_request(request))

    return serve


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the clients slept between tries; they sleep no more."""
    pauses: list[float] = []
    monkeypatch.setattr("millrace.client.Pauses", functools.partial(Pauses, sleep=pauses.append))
    return pauses
