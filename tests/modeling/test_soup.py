import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

from autoqa.errors import DataError
from autoqa.modeling.soup import average_weights


def write(path: Path, **tensors: object) -> Path:
    save_file({name: np.asarray(value) for name, value in tensors.items()}, path)
    return path


def test_a_hand_computed_mean(tmp_path: Path) -> None:
    half = np.float16
    first = write(tmp_path / "a", w=np.array([[1, 2]], half), b=np.array([4], half))
    other = write(tmp_path / "b", w=np.array([[3, -2]], half), b=np.array([1], half))
    third = write(tmp_path / "c", w=np.array([[5, 3]], half), b=np.array([1], half))
    average_weights([first, other, third], tmp_path / "mean")
    mean = load_file(tmp_path / "mean")
    assert {name: tensor.tolist() for name, tensor in mean.items()} == {"w": [[3, 1]], "b": [2]}
    assert {tensor.dtype for tensor in mean.values()} == {np.dtype(half)}


@settings(max_examples=50, deadline=None)
@given(count=st.integers(1, 5), seed=st.integers(0, 10**6), half=st.booleans())
def test_it_is_the_mean_of_the_numbers(
    tmp_path_factory: pytest.TempPathFactory, count: int, seed: int, half: bool
) -> None:
    folder = tmp_path_factory.mktemp("soup")
    rng = np.random.default_rng(seed)
    kind = np.float16 if half else np.float32
    tensors = rng.normal(0, 3, (count, 4, 3)).astype(kind)
    paths = [write(folder / str(n), w=tensor) for n, tensor in enumerate(tensors)]
    average_weights(paths, folder / "mean")
    expected = tensors.astype(np.float64).mean(axis=0)
    found = load_file(folder / "mean")["w"]
    np.testing.assert_allclose(found, expected, rtol=2e-3 if half else 1e-5, atol=1e-3)
    if count == 1:
        np.testing.assert_array_equal(found, tensors[0])


def test_whole_numbers_are_kept(tmp_path: Path) -> None:
    paths = [
        write(tmp_path / name, p=np.arange(4), w=np.float32([value]))
        for name, value in (("a", 1), ("b", 2))
    ]
    average_weights(paths, tmp_path / "mean")
    mean = load_file(tmp_path / "mean")
    assert mean["p"].tolist() == [0, 1, 2, 3]
    assert mean["w"].tolist() == [1.5]
    other = write(tmp_path / "c", p=np.arange(1, 5), w=np.float32([1]))
    with pytest.raises(DataError, match="p holds other numbers"):
        average_weights([paths[0], other], tmp_path / "mean")


@pytest.mark.parametrize(
    "tensors, said",
    [
        ({"w": np.zeros((2, 3), np.float32)}, r"w is F32 \[2, 3\], there F32 \[2, 2\]"),
        ({"w": np.zeros((2, 2), np.float16)}, r"w is F16 \[2, 2\], there F32 \[2, 2\]"),
        ({"w": np.zeros((2, 2), np.float32), "head": np.zeros(1)}, "head is F64 .*, there missing"),
    ],
)
def test_other_models_are_refused(tmp_path: Path, tensors: dict[str, object], said: str) -> None:
    first = write(tmp_path / "a", w=np.zeros((2, 2), np.float32))
    with pytest.raises(DataError, match=said):
        average_weights([first, write(tmp_path / "b", **tensors)], tmp_path / "mean")
    assert not (tmp_path / "mean").exists()


def test_damaged_or_no_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"no weights")
    with pytest.raises(DataError, match="cannot read these weights"):
        average_weights([tmp_path / "a"], tmp_path / "mean")
    with pytest.raises(DataError, match="cannot read these weights"):
        average_weights([tmp_path / "missing"], tmp_path / "mean")
    with pytest.raises(ValueError, match="no weights"):
        average_weights([], tmp_path / "mean")


def test_memory_does_not_grow_with_the_number_of_models(tmp_path: Path) -> None:
    """Two models' worth at most, whatever is averaged."""
    rng = np.random.default_rng(0)
    size = 8 * 500_000 * 2
    paths = [
        write(
            tmp_path / str(n),
            **{f"w{i}": rng.normal(size=500_000).astype(np.float16) for i in range(8)},
        )
        for n in range(6)
    ]
    tracemalloc.start()
    average_weights(paths, tmp_path / "mean")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 * size
