import numpy as np
import pytest
import torch
from sklearn.neighbors import KNeighborsClassifier

from components.evaluate_representation import rows as rows_module
from components.evaluate_representation.knn import nearest, vote
from components.evaluate_representation.rows import rows_of


@pytest.fixture
def points() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """200 train rows, their labels in [0, 3), 80 queries; classes overlap."""
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 3, 200)
    train = generator.normal(size=(200, 6)) + np.eye(3, 6)[labels]
    queries = generator.normal(size=(80, 6)) + np.eye(3, 6)[generator.integers(0, 3, 80)]
    return torch.tensor(train).float(), torch.tensor(labels), torch.tensor(queries).float()


@pytest.mark.parametrize("k", [1, 5])
def test_agrees_with_scikit_learn(points: tuple[torch.Tensor, torch.Tensor, torch.Tensor], k: int) -> None:
    train, labels, queries = points
    found = labels[nearest(rows_of(queries), rows_of(train), k)]
    theirs = KNeighborsClassifier(k, metric="cosine", algorithm="brute").fit(train.numpy(), labels.numpy())
    indices = theirs.kneighbors(queries.numpy(), return_distance=False)
    np.testing.assert_array_equal(nearest(rows_of(queries), rows_of(train), k), indices)
    counts = np.sort((found[:, :, None] == torch.arange(3)).sum(1).numpy(), axis=1)
    clear = counts[:, -1] > counts[:, -2]
    assert clear.sum() > 60
    np.testing.assert_array_equal(vote(found, k, 3)[clear], theirs.predict(queries.numpy())[clear])


@pytest.mark.parametrize(
    ("ballots", "k", "winner"),
    [
        ([2, 1, 1, 0, 0], 1, 2),
        ([2, 1, 1, 0, 0], 3, 1),
        ([2, 1, 1, 0, 0], 5, 1),
        ([0, 1, 1, 0, 2], 5, 0),
        ([1, 0, 0, 1, 2], 5, 1),
        ([2, 1, 0], 3, 2),
    ],
)
def test_the_majority_wins_and_among_equals_the_class_of_the_nearest(ballots: list[int], k: int, winner: int) -> None:
    assert vote(torch.tensor([ballots]), k, 3).tolist() == [winner]


def test_it_is_the_angle_that_counts_and_not_the_length() -> None:
    train = torch.tensor([[100.0, 1.0], [0.0, 0.01]])
    assert nearest(rows_of(torch.tensor([[1.0, 0.0], [0.0, 50.0]])), rows_of(train), 2).tolist() == [[0, 1], [1, 0]]


def test_the_size_of_chunks_does_not_matter(
    points: tuple[torch.Tensor, torch.Tensor, torch.Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    train, _, queries = points
    whole = nearest(rows_of(queries), rows_of(train), 7)
    assert torch.equal(whole, nearest(rows_of(queries), rows_of(train), len(train))[:, :7])
    for rows_at_once in (9, 64):
        monkeypatch.setattr(rows_module, "NUMBERS_AT_ONCE", 6 * rows_at_once)
        assert torch.equal(nearest(rows_of(queries), rows_of(train), 7), whole)
