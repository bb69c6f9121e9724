"""Each item of the doctor, on facts that are made up."""

from collections.abc import Mapping

import pytest

from components.doctor import checks
from components.doctor.checks import GIB, Ask, Item

NVIDIA = "nvidia-smi --query-gpu=name,memory.total --format=csv,noheader"
DAEMON = "docker version --format {{.Server.Version}}"


def answers(known: Mapping[str, str]) -> Ask:
    return lambda command: known.get(" ".join(command))


nothing = answers({})


@pytest.mark.parametrize(
    ("item", "mark", "said"),
    [
        (checks.python((3, 11, 0)), "ok", "3.11.0"),
        (checks.python((4, 0, 0)), "ok", "4.0.0"),
        (checks.python((3, 10, 9)), "fail", "install Python 3.11"),
        (checks.torch("2.13", None, None), "ok", "2.13, for the CPU"),
        (checks.torch("2.13", None, "12.8"), "ok", "for CUDA 12.8"),
        (checks.torch(None, None, None), "warn", "`make run` installs it"),
        (checks.torch(None, "OSError: libx", None), "warn", "cannot be imported (OSError: libx)"),
        (checks.gpu([("H100", 80 * GIB)], nothing), "ok", "H100 (80 GiB)"),
        (checks.gpu([], nothing), "ok", "none; the CPU will do"),
        (checks.gpu(None, nothing), "ok", "none; the CPU will do"),
        (checks.gpu(None, answers({NVIDIA: "T4, 15360 MiB\nT4, 15360 MiB"})), "ok", "T4, 15360 MiB; T4, 15360 MiB"),
        (checks.gpu([], answers({NVIDIA: "T4, 15360 MiB"})), "warn", "install torch for CUDA"),
        (checks.cpu(1), "ok", "1 core"),
        (checks.cpu(2), "ok", "2 cores"),
        (checks.memory(4 * GIB), "ok", "4.0 GiB"),
        (checks.memory(4 * GIB - 1), "warn", "lower train.batch_size"),
        (checks.memory(None), "warn", "not known"),
        (checks.disk(5 * GIB, "/x"), "ok", "5.0 GiB free at /x"),
        (checks.disk(5 * GIB - 1, "/x"), "warn", "want 5 GiB"),
        (checks.disk(GIB - 1, "/x"), "fail", "free some"),
        (checks.git(answers({"git --version": "git version 2.39.5"})), "ok", "2.39.5"),
        (checks.git(nothing), "warn", "install it"),
        (checks.dvc("/v/dvc", answers({"/v/dvc --version": "3.67.1"})), "ok", "3.67.1"),
        (checks.dvc("/v/dvc", nothing), "warn", "/v/dvc does not run"),
        (checks.dvc(None, nothing), "warn", "`make run` installs it"),
        (checks.docker(nothing), "optional", "not found"),
        (checks.docker(answers({"docker --version": "Docker 28"})), "optional", "daemon does not answer: start it"),
        (checks.docker(answers({"docker --version": "Docker 28", DAEMON: "20.10"})), "ok", "Docker 28; daemon 20.10"),
        (checks.kubectl(nothing), "optional", "not found"),
        (checks.kubectl(answers({"kubectl version --client": "v1"})), "optional", "kubectl config use-context"),
        (
            checks.kubectl(answers({"kubectl version --client": "v1", "kubectl config current-context": "home"})),
            "ok",
            "context home",
        ),
        (checks.kfp(None, lambda endpoint: None), "optional", "KFP_ENDPOINT is not set"),
        (checks.kfp("http://x", lambda endpoint: None), "ok", "http://x"),
        (checks.kfp("http://x", lambda endpoint: "timed out"), "warn", "does not answer (timed out)"),
    ],
)
def test_item(item: Item, mark: str, said: str) -> None:
    assert item.mark == mark
    assert said in item.line()
    assert "\n" not in item.line()


def test_every_warning_and_failure_has_a_remedy() -> None:
    bad = [
        checks.python((2, 7)),
        checks.torch(None, None, None),
        checks.memory(1),
        checks.disk(1, "/"),
        checks.git(nothing),
    ]
    assert all(item.remedy for item in bad)
