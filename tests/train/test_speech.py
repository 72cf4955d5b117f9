"""Speech training data: what an epoch holds, and how clips are varied."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from toy import CLASSES, toy_clips, toy_task  # noqa: E402

from pimsim.train.augment import (  # noqa: E402
    PIXELS_PER_DECIBEL,
    Augmentation,
    add_power,
    augment,
    average_frames,
    warp_bands,
)
from pimsim.train.speech import SpeechTask, standardisation  # noqa: E402
from pimsim.workload import Running, mfcc  # noqa: E402


def test_standardisation_is_that_of_all_coefficients():
    features = toy_clips(3000, 3)[0]
    mean, deviation = standardisation(features, 2)
    everything = mfcc(features, 2)
    np.testing.assert_allclose(mean, everything.mean(axis=(0, 1)), rtol=1e-5)
    np.testing.assert_allclose(deviation, everything.std(axis=(0, 1)), rtol=1e-5)


def test_an_epoch_holds_unknown_and_silence_as_often_as_a_keyword():
    features, labels = toy_clips(2000, 4)
    often = labels == 1
    features = np.concatenate([features, features[often], features[often]])
    labels = np.concatenate([labels, labels[often], labels[often]])
    synthetic = toy_clips(500, 5)
    task = SpeechTask((features, labels), toy_clips(50, 6), CLASSES, 1, synthetic, 0.1)
    seen = torch.cat([y for _, y in task.epoch(10, Augmentation(), seed=1)])
    assert len(seen) // 10 == task.n_batches(10)
    keyword = (labels >= 2).sum() / 2
    assert len(seen) == pytest.approx(4 * keyword / 0.9, rel=0.02)
    counts = np.bincount(seen.numpy(), minlength=4) / len(seen)
    np.testing.assert_allclose(counts, 0.25, atol=0.03)


def test_epochs_are_functions_of_their_seed():
    task, how = toy_task(), Augmentation(shift=2, stretch=0.1, warp=0.1, gain=3, noise=0.5)
    first, again, other = (next(task.epoch(40, how, seed)) for seed in (1, 1, 2))
    assert torch.equal(first[0], again[0])
    assert not torch.equal(first[0], other[0])


def test_clips_that_are_not_varied_are_the_networks_inputs():
    features, labels = toy_clips(40, 7)
    task = SpeechTask((features, labels), (features, labels), CLASSES)
    exact = task.validation[0].transpose(0, 1)
    inputs, truth = next(iter(task.epoch(20, Augmentation(), seed=0)))
    spoken = inputs.transpose(0, 1)[truth != 0]  # silence is lowered in level
    apart = (spoken[:, None] - exact[None]).abs().amax(dim=(2, 3)).amin(dim=1)
    assert len(apart) > 5
    assert float(apart.max()) <= 2**-10  # one step of the grid of inputs


def test_clips_at_a_level_are_the_same_however_loud_they_were():
    features, labels = toy_clips(40, 7)
    louder = np.minimum(features.astype(int) + 20, 255).astype(np.uint8)
    unclipped = (features < 235).all(axis=(1, 2))
    task = SpeechTask((features, labels), (features, labels), CLASSES).at_level(150.0)
    a, b = task.inputs(features), task.inputs(louder)
    assert unclipped.sum() > 5
    assert torch.equal(a[:, unclipped], b[:, unclipped])
    assert torch.equal(task.validation[0], a)
    assert task.at_level(150.0) is task
    assert task.at_level(None).input.level is None
    assert not torch.equal(task.at_level(None).validation[0], a)


@pytest.mark.parametrize("average", [1, 2])
def test_training_clips_come_at_the_level_of_the_network(average):
    features, labels = toy_clips(40, 7)
    task = SpeechTask((features, labels), (features, labels), CLASSES, average).at_level(150.0)
    exact = task.validation[0].transpose(0, 1)
    inputs, _ = next(iter(task.epoch(20, Augmentation(gain=3), seed=0)))
    # what is not clipped at 255 is the same at any gain, silence too
    apart = (inputs.transpose(0, 1)[:, None] - exact[None]).abs().amax(dim=(2, 3)).amin(dim=1)
    assert int((apart <= 2**-10).sum()) > 5


RUNNING = Running(130.0, 0.0625, 3)


@pytest.mark.parametrize("transform", ["cosine", "none"])
@pytest.mark.parametrize(
    "how", [(None, None), (150.0, None), (150.0, RUNNING)], ids=["none", "clip", "running"]
)
@pytest.mark.parametrize("average", [1, 2])
def test_training_clips_are_normalised_as_the_network_normalises_them(average, how, transform):
    features, labels = toy_clips(40, 7)
    clips = features, labels
    plain = SpeechTask(clips, clips, CLASSES, average, transform=transform)
    task = plain.at_level(*how)
    # the network's own inputs, to the bit
    exact = task.validation[0].transpose(0, 1)
    assert np.array_equal(exact.numpy(), task.input.numbers(features).astype(np.float32))
    assert torch.equal(exact.transpose(0, 1), task.inputs(features))
    # clips that are not varied, but for the rounding to the grid of inputs; no silence, which
    # is lowered in level
    inputs, truth = next(iter(task.epoch(20, Augmentation(), seed=0)))
    spoken = inputs.transpose(0, 1)[truth != 0]
    apart = (spoken[:, None] - exact[None]).abs().amax(dim=(2, 3)).amin(dim=1)
    assert len(apart) > 5
    assert float(apart.max()) <= 2**-10
    assert task.at_level(*how) is task
    assert (task.input.transform or "cosine") == transform
    assert task.at_level(None).input.running is None


def test_standardisation_of_bands_is_that_of_all_bands():
    features = toy_clips(3000, 3)[0]
    mean, deviation = standardisation(features, 1, "none")
    np.testing.assert_allclose(mean, features.mean(axis=(0, 1)), rtol=1e-5)
    np.testing.assert_allclose(deviation, features.std(axis=(0, 1)), rtol=1e-5)


def test_no_augmentation_only_averages_frames():
    clips = torch.from_numpy(toy_clips(20, 8)[0])
    loud = torch.zeros(20, dtype=torch.bool)
    rng = torch.Generator().manual_seed(0)
    found = augment(clips, clips, loud, 2, Augmentation(), rng)
    assert torch.equal(found, average_frames(clips, 2))
    assert torch.equal(found[:, 0], clips[:, :2].float().mean(dim=1))


def test_warping_keeps_a_flat_spectrum_flat():
    rng = torch.Generator().manual_seed(0)
    flat = torch.full((50, 3, 40), 77.0)
    torch.testing.assert_close(warp_bands(flat, Augmentation(warp=0.2), rng), flat)


def test_powers_add():
    x = torch.full((1, 1, 1), 100.0)
    doubled = float(add_power(x, x)) - 100.0
    assert doubled / PIXELS_PER_DECIBEL == pytest.approx(3.01, abs=0.01)
    assert float(add_power(x, x - 100.0)) == pytest.approx(100.0, abs=0.01)


def test_masks_blank_some_frames_and_bands_with_the_mean():
    clips = torch.from_numpy(toy_clips(200, 9)[0])
    loud = torch.zeros(200, dtype=torch.bool)
    rng = torch.Generator().manual_seed(0)
    masked = augment(clips, clips, loud, 1, Augmentation(time_mask=3, band_mask=2), rng)
    changed = masked != average_frames(clips, 1)
    rows, bands = changed.all(dim=2).sum(dim=1), changed.all(dim=1).sum(dim=1)
    assert 0 < rows.float().mean() <= 6
    assert int(rows.max()) <= 6
    assert int(bands.max()) <= 4


def test_recordings_are_background_where_an_epoch_asks_for_them():
    clips, labels = toy_clips(400, 10)
    recordings = np.full((300, *clips.shape[1:]), 200, np.uint8)
    task = SpeechTask((clips, labels), toy_clips(20, 11), CLASSES, recordings=recordings)
    without = SpeechTask((clips, labels), toy_clips(20, 11), CLASSES)
    still = Augmentation(quieter=0)
    constant = {}
    for name, how in {"without": still, "with": Augmentation(quieter=0, recordings=True)}.items():
        inputs, truth = next(iter(task.epoch(300, how, seed=2)))
        flat = inputs.std(dim=0).amax(dim=1) < 1e-5  # nothing moves in time
        assert not flat[truth != 0].any()
        constant[name] = float(flat[truth == 0].float().mean())
    assert constant["without"] == 0
    assert constant["with"] == pytest.approx(0.75, abs=0.1)
    assert torch.equal(
        next(iter(task.epoch(50, still, 3)))[0], next(iter(without.epoch(50, still, 3)))[0]
    )
    assert task.description["background"].startswith("300 windows")


def test_texture_differs_between_frames_and_background_in_level():
    clips = torch.full((500, 20, 8), 128, dtype=torch.uint8)
    quiet = torch.arange(500) < 250
    how = Augmentation(texture=2.0, quieter=10, louder=20)
    varied = augment(clips, clips, quiet, 1, how, torch.Generator().manual_seed(0))
    deviation = varied.std(dim=(1, 2)) / PIXELS_PER_DECIBEL
    assert float(deviation.max()) < 2.6
    assert float(deviation.mean()) == pytest.approx(1.0, abs=0.1)
    level = (varied.mean(dim=(1, 2)) - 128) / PIXELS_PER_DECIBEL
    assert float(level[250:].abs().max()) < 1
    assert float(level[:250].min()) == pytest.approx(-10, abs=1)
    assert float(level[:250].max()) == pytest.approx(20, abs=1)
