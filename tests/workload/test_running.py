"""Running level and mean: the recurrence by hand, and what it takes out of a clip."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from network_files import header_of, rewrite
from networks import random_gru

from pimsim.errors import DataError, PimsimError
from pimsim.workload import (
    INPUT_GRID,
    Running,
    SpeechInput,
    read_network,
    speech_inputs,
    write_network,
)
from pimsim.workload.inputs import band_means, cosine_transform, normal_means, relative_to_clip

RUNNING = Running(130.0, 0.0625, 6)


def a_scaling(**changes: object) -> SpeechInput:
    rng = np.random.default_rng(2)
    mean = (rng.normal(0, 20, 40) + 600 * (np.arange(40) == 0)).astype(np.float32)
    deviation = rng.uniform(5, 100, 40).astype(np.float32)
    return dataclasses.replace(
        SpeechInput(mean, deviation, level=150.0, running=RUNNING), **changes
    )


def bands_scaling(**changes: object) -> SpeechInput:
    rng = np.random.default_rng(3)
    mean = rng.uniform(60, 120, 40).astype(np.float32)
    return a_scaling(mean=mean, transform="none", **changes)


def some_clips(n: int = 5) -> np.ndarray:
    return np.random.default_rng(6).integers(60, 160, (n, 98, 40)).astype(np.uint8)


def test_two_steps_of_two_bands_by_hand():
    bands = np.array([[[10.0, 20.0], [40.0, 20.0]]])
    found = Running(start=16.0, decay=0.5, mean_shift=1).normalised(bands, np.array([4.0, 8.0]))
    # levels of the frames 15, 30; L = max(15, 15.5) = 15.5, then 30
    # m = (7, 14), then (23.5, 17); g = 6 -> 10.5 -> 20.25
    first = [10 - 7 + 10.5 - 15.5, 20 - 14 + 10.5 - 15.5]
    second = [40 - 23.5 + 20.25 - 30, 20 - 17 + 20.25 - 30]
    assert found.tolist() == [[first, second]]


def test_bands_that_wait_are_normalised_by_what_is_known_later():
    bands, means = np.random.default_rng(4).integers(60, 160, (3, 12, 5)) + 0.25, np.full(5, 90.0)
    at_once = Running(start=100.0, decay=0.5, mean_shift=2)
    # what stands in the registers at each step
    registers = bands - at_once.normalised(bands, means)
    for delay in (1, 4, 11, 30):
        waiting = dataclasses.replace(at_once, delay=delay)
        later = np.minimum(np.arange(12) + delay, 11)
        found = waiting.normalised(bands, means)
        assert np.array_equal(found, bands - registers[:, later])


def test_a_difference_below_the_shift_moves_the_mean_down_only():
    # registers are whole: -1/256 of a pixel halved is -1/256, and 1/256 halved is 0
    step = 2.0**-8
    running = Running(start=0.0, decay=0.0, mean_shift=1)
    for change, moved in ((step, 0.0), (-step, -step)):
        found = running.normalised(np.full((1, 1, 2), 50.0 + change), np.full(2, 50.0))
        level = 50.0 + change
        assert found[0, 0].tolist() == 2 * [level - (50 + moved) + (50 + moved) - level]


def other_after(clips: np.ndarray, frame: int) -> np.ndarray:
    """The clips with other frames from one on."""
    other = clips.copy()
    other[:, frame:] = 255
    return other


def test_nothing_comes_from_the_future():
    clips = some_clips()
    for scaling in (a_scaling(), bands_scaling(), a_scaling(frame_average=2)):
        kept = 40 // scaling.frame_average
        other = other_after(clips, 40)
        found = speech_inputs(clips, scaling)[:, :kept]
        assert np.array_equal(speech_inputs(other, scaling)[:, :kept], found)
        assert np.array_equal(speech_inputs(clips[:, :40], scaling), found)
    waiting = a_scaling(running=dataclasses.replace(RUNNING, delay=10))
    found, later = speech_inputs(clips, waiting), speech_inputs(other_after(clips, 40), waiting)
    assert np.array_equal(found[:, :30], later[:, :30])
    assert not np.array_equal(found[:, 30], later[:, 30])


@pytest.mark.parametrize("average", [1, 2, 16])
def test_a_clip_alone_gives_the_numbers_of_a_clip_among_others(average):
    clips = some_clips(20)
    for scaling in (a_scaling(frame_average=average), bands_scaling(frame_average=average)):
        found = speech_inputs(clips, scaling)
        assert found.shape == (20, 98 // average, 40)
        assert np.array_equal(found / INPUT_GRID, np.round(found / INPUT_GRID))
        assert np.array_equal(speech_inputs(clips[7:8], scaling)[0], found[7])
        assert np.array_equal(speech_inputs(clips[::-1], scaling)[::-1], found)


def test_a_gain_is_taken_out_at_once_and_a_microphone_in_time():
    # loud enough that the first frame sets the level
    clips = some_clips() + 40
    clips[:, 0] = 200
    still = dataclasses.replace(RUNNING, decay=0.0)
    scaling = bands_scaling(running=still)
    found = speech_inputs(clips, scaling)
    louder = speech_inputs((clips + 30).astype(np.uint8), scaling)
    assert np.abs(louder - found).max() < 0.5 / float(scaling.deviation.min())
    long = np.tile(clips, (1, 8, 1))
    colour = np.where(np.arange(40) % 2, 20, -20)
    moved = speech_inputs(long + colour.astype(np.uint8), scaling) - speech_inputs(long, scaling)
    unit = np.abs(moved * scaling.deviation).max(axis=(0, 2))
    assert unit[0] > 19
    assert unit[-1] < 0.5


def test_coefficients_are_the_transform_of_normalised_bands():
    """Normalisation and transform are both linear, so that their order does not matter."""
    clips, cosine = some_clips(), a_scaling()
    means = band_means(cosine).astype(np.float32)
    bands = a_scaling(mean=means, deviation=np.full(40, 9, np.float32), transform="none")
    relative = 9 * speech_inputs(clips, bands) + means - normal_means(bands)
    coefficients = speech_inputs(clips, cosine) * cosine.deviation + cosine.mean
    expected = relative @ cosine_transform(40) + normal_means(cosine)
    np.testing.assert_allclose(coefficients, expected, atol=100 * INPUT_GRID)


def test_a_clip_of_bands_has_its_loudest_frame_at_the_level_and_the_colour_of_training():
    scaling = bands_scaling(running=None)
    found = speech_inputs(some_clips(), scaling) * scaling.deviation + scaling.mean
    step = 100 * INPUT_GRID
    np.testing.assert_allclose(found.mean(axis=2).max(axis=1), 150.0, atol=step)
    means = found.mean(axis=1)
    means -= means.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(
        means, np.tile(scaling.mean - scaling.mean.mean(), (5, 1)), atol=step
    )
    assert np.array_equal(
        relative_to_clip(some_clips()[:1].astype(float))[0],
        relative_to_clip(some_clips().astype(float))[0],
    )


def test_bands_without_a_level_are_only_standardised():
    scaling = bands_scaling(running=None, level=None)
    clips = some_clips()
    expected = (clips - scaling.mean.astype(float)) / scaling.deviation
    np.testing.assert_allclose(speech_inputs(clips, scaling), expected, atol=INPUT_GRID / 2)


def test_a_file_keeps_the_normalisation_and_old_files_have_none(tmp_path):
    network = random_gru()
    for number, change in enumerate(
        (
            {"level": 150.0, "running": RUNNING},
            {"level": 150.0, "running": dataclasses.replace(RUNNING, delay=16)},
            {"transform": "none"},
            {"level": 150.0},
            {},
        )
    ):
        twin = dataclasses.replace(network, input=dataclasses.replace(network.input, **change))
        path = write_network(twin, tmp_path / f"{number}.safetensors")
        again = read_network(path).input
        for key in ("level", "running", "transform", "frame_average"):
            assert getattr(again, key) == getattr(twin.input, key)
        assert set(header_of(path)["input"]) == {"kind", "frame_average", *change}
        clips = some_clips()
        assert np.array_equal(again.numbers(clips), twin.input.numbers(clips))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"level": None}, "running normalisation needs a level"),
        ({"running": {"start": 300, "decay": 0, "mean_shift": 6}}, "running.start is 300"),
        ({"running": {"start": 130, "decay": -1, "mean_shift": 6}}, "running.decay is -1"),
        ({"running": {"start": 130, "decay": 0, "mean_shift": 9}}, "running.mean_shift is 9"),
        (
            {"running": {"start": 130, "decay": 0, "mean_shift": 6, "delay": 129}},
            "running.delay is 129",
        ),
        ({"running": {"start": 130, "decay": 0}}, "lacks the entry 'mean_shift'"),
        (
            {"running": {"start": 130, "decay": 0, "mean_shift": 6, "rise": 1}},
            r"'input.running.rise'",
        ),
        ({"running": 3}, "is damaged"),
        ({"transform": "wavelet"}, "transform is 'wavelet'; it is 'cosine' or 'none'"),
        ({"transform": 3}, "is damaged"),
    ],
)
def test_a_damaged_normalisation_is_refused(tmp_path, change, message):
    network = random_gru()
    whole = dataclasses.replace(network.input, level=150.0, running=RUNNING)
    path = write_network(dataclasses.replace(network, input=whole), tmp_path / "n.safetensors")

    def damage(header: dict, tensors: dict) -> None:
        header["input"].update(json.loads(json.dumps(change)))
        if change.get("level", 0) is None:
            del header["input"]["level"]

    rewrite(path, damage)
    with pytest.raises(DataError, match=message):
        read_network(path)


def test_a_mean_shift_is_a_whole_number():
    with pytest.raises(PimsimError, match="whole number, 0 to 8"):
        Running(130.0, 0.0, 2.5)


def test_its_description_says_how_clips_are_normalised():
    assert a_scaling().description == (
        "40 MFCC per step, 1 frames averaged, clips normalised to level 150 by a running level "
        "and mean, standardised"
    )
    assert bands_scaling(running=None, level=None).description == (
        "40 log-mel bands per step, 1 frames averaged, standardised"
    )
