"""The synthetic speech sets: who speaks, and that they can be made again."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from pimsim.data import load, voices
from pimsim.data.synthesize import RECIPES, noise, silence, to_int16

needs_espeak = pytest.mark.skipif(
    find_spec("espeakng_loader") is None, reason="espeak-ng is not installed: pimsim[data]"
)


def test_voices_of_the_evaluation_set_are_in_no_training() -> None:
    evaluation, training = voices.EVALUATION_VARIANTS, voices.TRAINING_VARIANTS
    assert not set(voices.voices(evaluation)) & set(voices.voices(training))
    # nor does one side hold a sister of the other's voices: steph on one, steph2 on the other
    families = [
        {re.sub(r"(?<=[a-z]{2})\d+$", "", name.lower()) for name in variants}
        for variants in (evaluation, training)
    ]
    assert not families[0] & families[1]
    assert RECIPES["evaluation"].variants == evaluation
    assert RECIPES["training"].variants == training


def test_no_word_stands_in_two_classes() -> None:
    unknown = voices.OTHER_WORDS + voices.MORE_WORDS
    assert len(set(unknown)) == len(unknown)
    assert not set(unknown) & set(voices.KEYWORDS)


def test_classes_are_evenly_mixed() -> None:
    recipe = RECIPES["evaluation"]
    labels = [label for label, _ in recipe.clips()]
    assert sorted(labels[:12]) == list(range(12))
    assert np.bincount(labels).tolist() == [54] * 12


def test_levels_are_those_of_recordings() -> None:
    """Means and spread of Speech Commands' own test set: 84 and 47 for words, 123 for silence."""
    dataset = load("synthetic-speech")
    words = dataset.features[dataset.labels > 0].astype(float)
    silent = dataset.features[dataset.labels == 0].astype(float)
    assert words.mean() == pytest.approx(84, abs=8)
    assert words.std() == pytest.approx(47, abs=8)
    assert silent.mean() == pytest.approx(123, abs=12)
    assert np.mean(words == 0) < 0.06


def test_noise_has_unit_power_and_follows_its_seed() -> None:
    one, again = (noise(np.random.default_rng(7)) for _ in range(2))
    assert np.array_equal(one, again)
    assert np.mean(one**2) == pytest.approx(1.0)
    assert to_int16(silence(np.random.default_rng(8))).any()


@needs_espeak
@pytest.mark.parametrize("attempt", [1, 2])
def test_first_clips_can_be_made_again(tmp_path: Path, attempt: int) -> None:
    out = tmp_path / "few.npz"
    command = [sys.executable, "-m", "pimsim.data.synthesize", "evaluation", str(out)]
    subprocess.run([*command, "--clips", "24"], check=True, capture_output=True, timeout=120)
    embedded = load("synthetic-speech")
    with np.load(out, allow_pickle=False) as made:
        assert np.array_equal(made["labels"], embedded.labels[:24])
        difference = made["features"].astype(int) - embedded.features[:24]
    # another processor may round its FFT differently: by one step, and rarely
    assert np.abs(difference).max() <= RECIPES["evaluation"].grey_step
    assert np.mean(difference != 0) < 1e-3


def test_missing_synthesiser_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    from pimsim.data.espeak import Speaker
    from pimsim.errors import DataError

    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    with pytest.raises(DataError, match=r"cannot be loaded .* Install it with `pip install pimsim"):
        Speaker()
