import numpy as np

from autoqa.parallel.collectives import dealt


def test_all_ranks_get_about_as_many_tokens() -> None:
    lengths = np.random.default_rng(3).integers(20, 400, 64)
    shares = dealt(lengths, 4)
    assert sorted(np.concatenate(shares).tolist()) == list(range(64))
    assert all((np.diff(share) > 0).all() for share in shares)
    tokens = [int(lengths[share].sum()) for share in shares]
    assert max(tokens) - min(tokens) < lengths.max()


def test_there_may_be_fewer_windows_than_ranks() -> None:
    shares = dealt(np.array([7, 9]), 3)
    assert [share.tolist() for share in shares] == [[1], [0], []]
    assert [share.tolist() for share in dealt(np.array([], np.int64), 2)] == [[], []]
