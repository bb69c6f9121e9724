import pytest
import yaml

from components.compose.choose import choose

TEXT = """\
# The choice. experiment: not this line
experiment: digits
source: data/digits.npz   # a folder, or a file
train:
  source: 1
"""


@pytest.mark.parametrize(
    "path",
    [
        "/my/images",
        "/my images/with 'quotes' & \"more\"",
        "/a#b",
        "/back\\slash \\1",
        "/ümläut: {x}",
        "/" + 60 * "long/",
    ],
)
def test_the_value_is_read_back_as_it_was_given(path: str) -> None:
    content = yaml.safe_load(choose(TEXT, "source", path))
    assert content == {"experiment": "digits", "source": path, "train": {"source": 1}}


def test_comments_and_other_lines_stay() -> None:
    chosen = choose(TEXT, "source", "/my/images").splitlines()
    before = TEXT.splitlines()
    assert chosen[:2] + chosen[3:] == before[:2] + before[3:]
    assert chosen[2].startswith('source: "/my/images"')
    assert chosen[2].endswith(" # a folder, or a file")


def test_choosing_twice_keeps_the_last() -> None:
    assert choose(choose(TEXT, "experiment", "a"), "experiment", "digits") == choose(TEXT, "experiment", "digits")


def test_a_key_that_is_absent_is_added() -> None:
    assert yaml.safe_load(choose(TEXT, "debug", "tiny"))["debug"] == "tiny"
