"""Every decision of a run goes to disk, packed, as it comes."""

from __future__ import annotations

import io

import numpy as np
import pytest
from files import write_model

from pimsim.errors import ConfigError
from pimsim.files import Stored, as_npz
from pimsim.simulate import execute
from pimsim.studies import monte_carlo
from pimsim.studies.bits import BitStore
from pimsim.studies.folder import bits_of
from pimsim.studies.run import run


def in_pieces(store: BitStore, name: str, values: np.ndarray) -> None:
    """Keep values as a simulator hands them on: some chips, and some of their sequences."""
    for chip in range(0, values.shape[0], 2):
        keep = store.keep(chip)
        for sequence in range(0, values.shape[1], 3):
            keep(name, 0, sequence, values[chip : chip + 2, sequence : sequence + 3])


@pytest.mark.parametrize("is_packed", [True, False])
def test_what_is_kept_comes_back(tmp_path, is_packed):
    rng = np.random.default_rng(1)
    store = BitStore(7, is_packed, tmp_path / "not made yet")
    given = {
        "a": rng.integers(0, 2 if is_packed else 9, (5, 7, 4, 11), np.uint8),
        "b": rng.integers(0, 2 if is_packed else 9, (5, 7, 16), np.uint8),
    }
    for name, values in given.items():
        in_pieces(store, name, values)
    assert list(store) == ["a", "b"]
    assert not any(tmp_path.iterdir())
    for name, values in given.items():
        assert np.array_equal(store[name], values)
    file = io.BytesIO()
    as_npz(store.arrays())(file)
    read = np.load(io.BytesIO(file.getvalue()), allow_pickle=False)
    for name, values in given.items():
        expected = np.packbits(values, axis=-1) if is_packed else values
        assert np.array_equal(read[name], expected)
        assert not is_packed or int(read[f"{name}.n"]) == values.shape[-1]


def test_a_stored_array_is_written_as_numpy_writes_it():
    array = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    files = [io.BytesIO(), io.BytesIO()]
    as_npz({"x": array})(files[0])
    as_npz({"x": Stored(array.shape, array.dtype, lambda f: f.write(array.tobytes()))})(files[1])
    assert files[0].getvalue() == files[1].getvalue()
    assert np.array_equal(np.load(io.BytesIO(files[0].getvalue()))["x"], array)


def test_a_run_holds_no_decision_in_memory(tmp_path, monkeypatch):
    model = write_model(tmp_path)
    options = {"chips": 5, "limit": 8, "batch": 3, "threads": 1, "noise_sources": False}
    without = run(model, **options)
    monkeypatch.setattr(execute, "InMemory", None)
    found = run(model, keep_bits=True, **options)
    bits, arrays = found.chips.bits, bits_of(found)
    assert isinstance(bits, BitStore)
    assert set(bits) == {"encoder", "gru0.gate", "gru0.candidate", "gru0.hidden",
                         "gru1.gate", "gru1.candidate", "gru1.hidden"}  # fmt: skip
    assert np.array_equal(found.chips.predictions, without.chips.predictions)
    assert all(bits[name].shape[:2] == (5, 8) for name in bits)
    hidden = bits["gru1.hidden"]
    assert arrays["gru1.hidden"].shape == np.packbits(hidden, axis=-1).shape
    assert set(np.unique(hidden)) == {0, 1}


def test_blocks_of_chips_and_one_read_of_several_are_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(monte_carlo, "MAX_BLOCKS", 3)
    model = write_model(tmp_path)
    options = {"limit": 40, "threads": 1, "noise_sources": False, "keep_bits": True}
    more = run(model, chips=2, reads=2, until_ci95=1e-9, **options)
    assert len(more.accuracy.per_chip) == 6
    once = run(model, chips=6, **options)
    for name, bits in once.chips.bits.items():
        assert np.array_equal(more.chips.bits[name], bits), name


def test_a_disk_that_is_full_is_said(tmp_path, monkeypatch):
    class Full:
        def seek(self, at): ...

        def close(self): ...

        def write(self, block):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("pimsim.studies.bits.tempfile.TemporaryFile", lambda dir: Full())
    keep = BitStore(2, True, tmp_path).keep(0)
    with pytest.raises(ConfigError, match="No space left.*leave out --bits"):
        keep("a", 0, 0, np.zeros((1, 2, 8), np.uint8))
