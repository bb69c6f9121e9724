"""The page as a whole: what it shows, that it needs nothing from elsewhere, and what it says of what is absent."""

import base64
import io
import json
import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from components.artifacts.errors import UserError
from components.artifacts.metric_keys import format_value
from components.artifacts.metrics import Metrics

Show = Callable[[Any], Any]
SECTIONS = ["verdict", "representation", "generation", "training", "data", "parameters", "comparison", "lineage"]


def test_sections_stand_in_their_order_and_can_be_reached(run: Any, show: Show) -> None:
    page = show(run)
    assert [section["id"] for section in page.of("section")] == SECTIONS
    assert [link["href"] for link in page.of("a")] == [f"#{name}" for name in SECTIONS]


def test_headings_descend_by_one_level_at_most(run: Any, show: Show) -> None:
    levels = show(run).headings
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(deeper <= level + 1 for level, deeper in pairwise(levels))


def test_page_needs_nothing_from_elsewhere(run: Any, show: Show) -> None:
    page = show(run)
    assert "script" not in {tag for tag, _ in page.elements}
    for tag, attributes in page.elements:
        for name in ("src", "href", "srcset", "data", "action", "poster", "xlink:href"):
            place = attributes.get(name)
            assert place is None or place.startswith(("data:", "#")), (tag, name, place)
        assert not any(name.startswith("on") for name in attributes), (tag, attributes)
    assert not re.search(r"https?:|url\(|@import|//[a-z]", page.content)
    (policy,) = [meta for meta in page.of("meta") if meta.get("http-equiv") == "Content-Security-Policy"]
    assert policy["content"] == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def test_each_number_is_that_of_the_metrics_files(run: Any, show: Show) -> None:
    page = show(run)
    assert {key for key, _, _ in page.numbers} == run.values.keys()
    for key, value, text in page.numbers:
        assert float(value) == run.values[key]
        words = format_value(key, run.values[key])
        assert text in (words, words.removesuffix(" %"), value, f"{run.values[key]:.3f}")


def test_tiles_hold_the_deciding_numbers_against_their_baselines_and_the_gate(run: Any, show: Show) -> None:
    page = show(run)
    tiles = page.content.split('<article class="tile')[1:]
    assert len(tiles) == 4
    words = [" ".join(re.sub("<[^>]+>", " ", tile.split(">", 1)[1].split("</article>")[0]).split()) for tile in tiles]
    assert words == [
        "linear probe ↑ higher is better BN+CReLU 95.6 % untrained 68.0 % raw pixels 90.8 % gate: at least 90.0 %",
        "linear probe ↑ higher is better BN+CReLU, 10 labels a class 80.0 % ± 1.2 %",
        "Fréchet distance ↓ lower is better classifier, 500 samples 0.954 ± 0.011 real images 0.121",
        "reconstruction error (1: shuffled pairs) ↓ lower is better l1, 500 test images 0.500",
    ]
    assert tiles[0].startswith(" holds")


def test_accuracies_stand_by_features_and_protocol(run: Any, show: Show) -> None:
    page = show(run)
    table = page.content.split('<table class="accuracies">')[1].split("</table>")[0]
    rows = [" ".join(re.sub("<[^>]+>", " ", row).split()) for row in table.split("<tr")[1:]]
    assert [row.split("> ", 1)[-1] for row in rows] == [
        "linear probe 10 labels a class k nearest neighbours",
        "features top-1 top-1 k = 5",
        "BN+CReLU 95.6 80.0 ± 1.2 –",
        "AvePool 95.0 – 90.0",
        "BN+CReLU, untrained E 68.0 – –",
        "raw pixels 90.8 – –",
    ]
    assert re.search(r'<td class="best"><data value="0.9561"', table)
    assert not re.search(r'<td class="best"><data value="0.9084"', table)


def test_pictures_are_embedded_with_captions_the_unknown_by_name(run: Any, show: Show) -> None:
    page = show(run)
    pictures = page.of("img")
    assert all(picture["alt"] for picture in pictures)
    assert {(picture["width"], picture["height"]) for picture in pictures} == {("12", "9")}
    captions = [picture["alt"] for picture in pictures]
    assert [caption.split()[0] for caption in captions] == ["Which", "Samples", "unheard", "Images"]
    assert "contact_sheet.png" in page.text
    assert "curves.png" not in page.text


def test_large_picture_becomes_smaller_in_bytes_and_not_in_pixels(run: Any, show: Show) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (700, 600, 3), dtype=np.uint8)
    target = io.BytesIO()
    Image.fromarray(noise).save(target, "PNG")
    run.pictures["generation/samples.png"] = target.getvalue()
    assert len(target.getvalue()) > 1_000_000
    (picture,) = [one for one in show(run).of("img") if one["width"] == "600"]
    kind, _, content = picture["src"].partition(",")
    assert kind == "data:image/webp;base64"
    embedded = base64.b64decode(content)
    assert len(embedded) < len(target.getvalue())
    assert Image.open(io.BytesIO(embedded)).size == (600, 700)


def test_file_that_is_no_picture_is_named_and_not_embedded(run: Any, show: Show) -> None:
    run.pictures["generation/samples.png"] = b"<svg onload=alert(1)>" * 9
    page = show(run)
    assert "samples.png is no PNG file." in page.text
    assert len(page.of("img")) == 3


def test_curves_and_signs_of_training(run: Any, show: Show) -> None:
    page = show(run)
    labels = [drawing["aria-label"] for drawing in page.of("svg")]
    assert labels == [
        "Loss of D, by term over the steps of training: images ends at 1.25, joint ends at 1",
        "Gradient norms over the steps of training: G and E ends at 3",
    ]
    assert "Training noticed something at 2 looks, last at step 40: D loses <much>" in page.text
    assert "step 20: D loses a little" in page.text


def test_data_sheet(run: Any, show: Show) -> None:
    text = show(run).text
    for part in (
        "train 40 80.0 %", "8 × 8 px, grey", "pets (folder)", "2 classes; folders", "2 of 52 images (truncated: 2)",
        "3 other files were passed over", "5 in train", "short side 9 to 31 px, median 20", "33.2 ± 78.5", "cat 35",
        "dog 15", "8 – 16 px 10", "16 – 32 px 42",
    ):  # fmt: skip
        assert part in text, part


def test_images_of_one_size_have_no_histogram(run: Any, show: Show) -> None:
    sizes = {"short_side": {"edges": [28, 29], "images": [50]}, "minimum": 28, "median": 28.0, "maximum": 28}
    run.manifest |= {"source_sizes": sizes}
    text = show(run).text
    assert "short side 28 px, all of them" in text
    assert "Short sides of the source images" not in text


def test_bin_of_one_pixel_is_one_size(run: Any, show: Show) -> None:
    sizes = {"short_side": {"edges": [28, 29, 30], "images": [3, 4]}, "minimum": 28, "median": 29.0, "maximum": 29}
    run.manifest |= {"source_sizes": sizes}
    assert "28 px 3 29 px 4" in show(run).text


def test_many_classes_are_told_by_the_largest_and_the_smallest(run: Any, show: Show) -> None:
    counts = list(range(100, 200))
    run.manifest |= {
        "classes": [f"class {index}" for index in range(100)],
        "splits": {name: {"images": sum(counts), "images_per_class": counts} for name in run.manifest["splits"]},
    }
    page = show(run)
    shown, _, folded = page.content.split('<section id="data">')[1].partition("All classes")
    assert shown.count('<span class="name" title="class ') == 24
    assert "class 99<" in shown
    assert "class 0<" in shown
    assert "class 50<" not in shown
    assert folded.count('<span class="name" title="class ') == 100


def test_comparison_marks_better_and_worse_by_direction(run: Any, show: Show) -> None:
    page = show(run)
    comparison = page.text[page.text.index("Beside version 3") :]
    assert "linear probe, BN+CReLU 95.6 % 90.0 % +5.6 points ▲ better" in comparison
    assert "Fréchet distance, classifier, 500 samples 0.954 ± 0.011 0.900 +0.054 ▼ worse" in comparison
    assert "1 number was measured by another protocol and cannot be compared: seed: 1 for the champion" in comparison
    assert "70.0 %" not in comparison
    assert "gone_test5" in comparison


def test_parameters_chosen_and_changed(run: Any, show: Show) -> None:
    text = show(run).text
    assert "What was chosen experiment toys train.lr 0.5" in text
    assert "train.lr 0.25 → 0.5" in text
    assert "train.momentum 0.5 → not there" in text
    assert "train.lr 0.5 before: 0.25 train.steps 100 train.momentum not there before: 0.5" in text


def test_protocol_is_there_whole_but_for_what_is_told_above_it(run: Any, show: Show) -> None:
    outcomes = {"remarks": ["warning: a remark"], "selected_penalty": {"mu": 0.125}}
    protocol = {"seed": 3, "skipped_views": 1, "outcomes": outcomes, "not_measured": {"some_key": "why"}}
    run.representation = Metrics(run.representation.values, protocol)
    above, _, below = show(run).text.split("Generation Generated")[0].partition("Protocol: what these")
    assert "warning: a remark" in above
    assert "some_key was not measured: why" in above
    assert "seed 3 skipped_views 1" in below
    assert "outcomes.selected_penalty.mu 0.125" in below
    assert "remark" not in below
    assert "some_key" not in below


def test_lineage(run: Any, show: Show) -> None:
    text = show(run).text.rpartition("Lineage")[2]
    for part in ("0123", "f00d, with uncommitted changes", "abc", "c0de", "data-1", "seed 5", "step 1200", "cafe"):
        assert part in text, part


def test_same_input_gives_the_same_bytes_without_a_date(run: Any, show: Show, tmp_path: Path) -> None:
    first = show(run).content
    run.root = tmp_path / "elsewhere"
    run.decision["time"] = "2027-01-01T00:00:00+00:00"
    assert show(run).content == first
    assert "2026-01-02" not in first
    assert str(tmp_path) not in first


EVIL = '<script>alert("x")</script><img src=x onerror=alert(1)>{{ 7 * 7 }}'


def test_whatever_comes_from_files_stays_text(run: Any, show: Show) -> None:
    run.manifest |= {"classes": [EVIL, "dog"], "source": run.manifest["source"] | {"name": EVIL, "labels_from": EVIL}}
    run.manifest["rejected"] = run.manifest["rejected"] | {"reasons": {EVIL: 2}}
    run.decision |= {"name": EVIL, "conditions": [CONDITION_FAILS | {"text": EVIL}]}
    run.choice = {"experiment": EVIL, EVIL: EVIL}
    run.resolved = {EVIL: {EVIL: EVIL}}
    run.signs = [{"step": 1, "sign": EVIL}]
    run.representation = Metrics(
        {EVIL: 1.0, **run.representation.values}, {EVIL: EVIL, "outcomes": {"remarks": [EVIL]}}
    )
    run.generation = Metrics({}, {"skipped": EVIL})
    run.log = LOG_WITH_EVIL
    run.pictures["generation/<b>.png"] = run.pictures["generation/samples.png"]
    page = show(run)
    tags = {tag for tag, _ in page.elements}
    assert not tags & {"script", "b onerror"}
    assert all(picture["src"].startswith("data:image/png;base64,") for picture in page.of("img"))
    assert page.text.count("{{ 7 * 7 }}") > 10
    assert "49" not in re.sub(r"base64,[^\"]+|<style>.*</style>", "", page.content, flags=re.DOTALL)
    assert "<b>.png" in page.text


CONDITION_FAILS = {
    "metric": "m", "condition": "measured", "value": None, "bound": None, "champion": None, "holds": False,
    "text": "why",
}  # fmt: skip
LOG_WITH_EVIL = f'step,"discriminator/loss_{EVIL.replace(chr(34), chr(34) * 2)}"\n1,2\n'


def refused(run: Any) -> None:
    run.decision |= {"registered": False, "champion": False, "version": None}
    run.decision["conditions"] = [CONDITION_FAILS | {"text": "m was not measured: change the parameter register.gate"}]


def not_champion(run: Any) -> None:
    run.decision |= {"champion": False}


def no_conditions(run: Any) -> None:
    run.decision |= {"conditions": [], "reasons": ["the gate has no conditions"]}


def first_version(run: Any) -> None:
    run.previous = None


def no_labels(run: Any) -> None:
    run.representation = Metrics({}, {"skipped": "the dataset has no labels"})
    run.manifest |= {
        "classes": None,
        "splits": {name: {"images": 5, "images_per_class": None} for name in run.manifest["splits"]},
    }


def no_encoder(run: Any) -> None:
    run.representation = Metrics({}, {"skipped": "the model has no encoder"})
    absent = {"reconstruction_l1_test500": "the model has no encoder"}
    run.generation = Metrics({"fd_a_samples5_train5": 1.0}, {"not_measured": absent})


def nothing_measured(run: Any) -> None:
    run.representation = run.generation = Metrics({}, {"skipped": "no reason"})


def empty_without_a_word(run: Any) -> None:
    run.representation = Metrics({}, {})


def no_validation(run: Any) -> None:
    run.manifest["splits"] = run.manifest["splits"] | {"validation": {"images": 0, "images_per_class": [0, 0]}}


def no_pictures(run: Any) -> None:
    run.pictures = {}


def no_log(run: Any) -> None:
    run.log = None


def log_without_rows(run: Any) -> None:
    run.log = "step,discriminator/loss_image\n"


def no_signs_seen(run: Any) -> None:
    run.signs = []


def no_record_of_signs(run: Any) -> None:
    run.signs = None


def no_choice(run: Any) -> None:
    run.choice = None


def nothing_differs(run: Any) -> None:
    run.previous = run.previous | {"parameters": run.resolved}


def dataset_of_earlier_code(run: Any) -> None:
    for key in ("pixels", "source_sizes", "duplicates"):
        del run.manifest[key]


def no_git(run: Any) -> None:
    run.decision["git"] = {"revision": None, "dirty": None}


def bare_provenance(run: Any) -> None:
    run.description = {}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (refused, "Refused Not registered as toy. ✗ does not hold m was not measured: change the parameter"),
        (not_champion, "Registered Version 4 of toy, but not champion."),
        (no_conditions, "the gate has no conditions"),
        (first_version, "There was no champion yet to compare this run with."),
        (no_labels, "Not measured: the dataset has no labels."),
        (no_labels, "The dataset has no labels, so there are no classes to count."),
        (no_labels, "labels none; folders splits drawn"),
        (no_encoder, "Not measured: the model has no encoder."),
        (no_encoder, "reconstruction_l1_test500 was not measured: the model has no encoder"),
        (nothing_measured, "Nothing was measured, so there are no numbers to look at first."),
        (empty_without_a_word, "There are no numbers here, and no word why."),
        (no_validation, "validation 0 0.0 %"),
        (no_pictures, "No pictures were drawn."),
        (no_pictures, "The dataset has no contact sheet."),
        (no_log, "The model keeps no training log."),
        (log_without_rows, "The model keeps no training log."),
        (no_signs_seen, "Training noticed nothing that looked wrong."),
        (no_record_of_signs, "This model keeps no record of what its training noticed."),
        (no_choice, "Without a params.yaml: all that was chosen stands below."),
        (nothing_differs, "What differs from version 3 Nothing."),
        (dataset_of_earlier_code, "duplicates not looked for"),
        (no_git, "not known: no git"),
        (bare_provenance, "report of a run toys dataset data-1-and-m"),
    ],
)
def test_what_is_absent_is_said(
    run: Any, show: Show, usual_text: str, change: Callable[[Any], None], said: str
) -> None:
    assert said not in usual_text
    change(run)
    page = show(run)
    assert said in page.text
    assert [section["id"] for section in page.of("section")] == SECTIONS


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ("registration/registration.json", "does not exist yet: run `dvc repro`"),
        ("dataset/manifest.json", "does not exist yet: run `dvc repro`"),
        ("model/model.json", "does not exist yet: run `dvc repro`"),
        ("resolved.yaml", "does not exist yet: run `dvc repro`"),
        ("generation/metrics.json", "does not exist yet: run `dvc repro`"),
    ],
)
def test_missing_input_is_an_error_and_leaves_the_page_before(
    run: Any, show: Show, monkeypatch: pytest.MonkeyPatch, missing: str, message: str
) -> None:
    before = show(run).content
    (run.root / missing).unlink()
    monkeypatch.setattr(type(run), "write", lambda self: None)
    with pytest.raises(UserError, match=f"{missing} {message}"):
        show(run)
    assert (run.root / "report" / "index.html").read_text() == before


def test_foreign_files_are_an_error(run: Any, show: Show) -> None:
    run.decision = {"registered": True}
    with pytest.raises(UserError, match="no decision of the step `register`"):
        show(run)


def test_page_of_real_size_is_read_back_as_json_numbers(run: Any, show: Show) -> None:
    """The exact value of a number is what JSON says, also where it is long or small."""
    run.generation = Metrics({"kd_a_samples5_train4_mean": 1.2345678901234567e-05, "score_a_test5_mean": 3}, {})
    numbers = {key: value for key, value, _ in show(run).numbers}
    assert json.loads(numbers["kd_a_samples5_train4_mean"]) == 1.2345678901234567e-05
    assert json.loads(numbers["score_a_test5_mean"]) == 3
