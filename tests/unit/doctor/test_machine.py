"""How the facts are gathered, on this machine and on a small server of our own."""

import http.server
import os
import socket
import sys
import threading
import types
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from components.doctor import machine


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        (["sh", "-c", "echo ' yes '"], "yes"),
        (["sh", "-c", "echo no; exit 3"], None),
        (["true"], None),
        (["a-program-that-is-not-there"], None),
    ],
)
def test_ask(command: list[str], answer: str | None) -> None:
    assert machine.ask(command) == answer


def test_ask_gives_up_on_what_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_ANSWER_WITHIN", 0.1)
    assert machine.ask(["sleep", "30"]) is None


def test_memory_is_the_containers_where_that_is_less(tmp_path: Path) -> None:
    whole = machine.memory(tmp_path / "absent")
    assert whole is not None
    (tmp_path / "max").write_text("max\n")
    assert machine.memory(tmp_path / "max") == whole
    (tmp_path / "limit").write_text("1048576\n")
    assert machine.memory(tmp_path / "limit") == 1048576


def test_memory_that_the_system_does_not_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(name: str) -> int:
        raise ValueError(name)

    monkeypatch.setattr(os, "sysconf", unknown)
    assert machine.memory() is None


def fake_torch(monkeypatch: pytest.MonkeyPatch, load: Callable[[], object] | None) -> None:
    monkeypatch.setattr(machine.importlib.util, "find_spec", lambda name: None if load is None else object())
    if load is not None:
        monkeypatch.setattr(machine.importlib, "import_module", lambda name: load())


def test_torch_that_is_absent_broken_or_sees_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    fake_torch(monkeypatch, None)
    assert machine.torch() == machine.Torch(None, None, None, None)

    def broken() -> object:
        raise OSError("libcuda.so: no such file\nand more")

    fake_torch(monkeypatch, broken)
    assert machine.torch() == machine.Torch(None, "OSError: libcuda.so: no such file", None, None)

    device = types.SimpleNamespace(name="H100", total_memory=80)
    cuda = types.SimpleNamespace(
        is_available=lambda: True, device_count=lambda: 1, get_device_properties=lambda index: device
    )
    module = types.SimpleNamespace(__version__="2.13", version=types.SimpleNamespace(cuda="12.8"), cuda=cuda)
    fake_torch(monkeypatch, lambda: module)
    assert machine.torch() == machine.Torch("2.13", None, "12.8", [("H100", 80)])


def test_dvc_is_found_beside_this_python_in_the_checkout_or_on_the_path(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bin" / "python"))
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    assert machine.dvc_program() is None
    for place in ("path", ".venv/bin", "bin"):
        (tmp_path / place).mkdir(parents=True)
        program = tmp_path / place / "dvc"
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
        found = machine.dvc_program()
        assert found is not None
        assert (tmp_path / found) == program


@pytest.fixture
def server() -> Iterator[str]:
    """Answers /CODE/apis/v2beta1/healthz with that status."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            code, path = self.path[1:].split("/", 1)
            self.send_response(int(code) if path == "apis/v2beta1/healthz" else 404)
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{running.server_address[1]}"
    running.shutdown()
    running.server_close()


@pytest.mark.parametrize(
    ("path", "problem"),
    [("/200", None), ("/200/", None), ("/401", None), ("/403", None), ("/404", "HTTP 404"), ("/500", "HTTP 500")],
)
def test_reach_an_endpoint_that_answers(
    monkeypatch: pytest.MonkeyPatch, server: str, path: str, problem: str | None
) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert machine.reach(server + path) == problem


def test_reach_an_endpoint_that_is_not_there_hangs_or_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(machine, "_REACH_WITHIN", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        assert machine.reach(f"http://127.0.0.1:{port}") == "timed out"
    assert "refused" in str(machine.reach(f"http://127.0.0.1:{port}"))
    assert "unknown url type" in str(machine.reach("localhost"))
