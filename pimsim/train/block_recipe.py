"""Recipes of networks that are composed of blocks, for any data set."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from pimsim.nn.weights import Polarity
from pimsim.train.block_keys import Width
from pimsim.train.blocks import Block, GainKeys, UniformKeys
from pimsim.train.neuron_keys import Strict

Positive = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(ge=0, lt=1)]
Progress = Annotated[float, Field(ge=0, le=1)]
# a seed of an epoch is made of these three (`pimsim.train.loop.epoch_seed`)
Seed = Annotated[int, Field(ge=0, lt=2**64)]
Epochs = Annotated[int, Field(ge=1, le=100_000)]
MAX_STAGES = 1000
StageName = Annotated[str, Field(pattern=r"^\w[\w .+-]{0,99}$")]
Pixels = Annotated[int, Field(ge=0, le=64)]
Layout = Literal["row", "sequence", "map", "steps"]


class BlockAugmentation(Strict):
    """Random changes of training samples.

    Attributes
    ----------
    flip
        Whether maps are mirrored left to right, half of them.
    shift
        Largest shift in either direction, or (vertical, horizontal): of maps [pixels], or of time
        steps and their channels; edges are repeated.
    noise
        Gaussian noise, as a share of each channel's standard deviation.
    """

    flip: bool = False
    shift: Pixels | tuple[Pixels, Pixels] = 0
    noise: Annotated[float, Field(ge=0)] = 0.0


class BlockStage(Strict):
    """A series of epochs with one schedule of the learning rate; neurons are annealed over it.

    Attributes
    ----------
    optimizer
        "adamw", or "sgd" with a momentum of 0.9.
    anneal
        Progress of the neurons in the first and the last epoch: 0 is the first of each pair of
        their numbers, 1 the last.
    noise
        Factor of all noise of the blocks: errors of cells, noise of sums and of neurons.
    weight_decay
        Decoupled with adamw; of weights alone, not of ranges, norms and biases.
    """

    name: StageName
    epochs: Epochs
    batch: Annotated[int, Field(ge=2)] = 128
    optimizer: Literal["adamw", "sgd"] = "adamw"
    learning_rate: Positive
    final_learning_rate: Positive | None = None
    warmup: Annotated[int, Field(ge=0)] = 100
    label_smoothing: Share = 0.0
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    gradient_clip: Positive = 5.0
    anneal: tuple[Progress, Progress] = (0.0, 1.0)
    noise: Annotated[float, Field(ge=0)] = 1.0
    augmentation: BlockAugmentation = BlockAugmentation()


class SearchKeys(Strict):
    """Variants of a network's hidden dense layers, for `pimsim search`.

    Attributes
    ----------
    polarity
        Polarities that each hidden layer takes.
    widths
        Units of each.
    hidden
        Numbers of hidden layers; a further one is as the last of the recipe.
    share
        Share of the epochs that every variant is trained for.
    column_cost
        Accuracy that a column of cells has to bring.
    finish
        Variants that are trained to the end.
    """

    polarity: Annotated[tuple[Polarity, ...], Field(min_length=1)]
    widths: Annotated[tuple[Width, ...], Field(min_length=1)]
    hidden: Annotated[tuple[Annotated[int, Field(ge=1, le=8)], ...], Field(min_length=1)] = (1,)
    share: Annotated[float, Field(gt=0, le=1)] = 0.2
    column_cost: Annotated[float, Field(ge=0, le=1)] = 1e-4
    finish: Annotated[int, Field(ge=1, le=1000)] = 3


def each_named_once(stages: tuple[Any, ...]) -> tuple[Any, ...]:
    """Stages, if no two have one name: logs and provenance tell them apart by it."""
    names = [stage.name for stage in stages]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise ValueError(f"two stages are named {twice[0]}; give each a name of its own")
    return stages


class BlockRecipe(Strict):
    """Recipe of a network that is a list of blocks.

    Attributes
    ----------
    data, test
        Name of a data set, or path of an npz file or a folder relative to the recipe. The network
        is chosen without the test set; its accuracy is measured once, at the end.
    validation
        Share of the training data that is kept for validation, evenly over the classes; of human
        activities, whole persons. Data that have a validation set of their own keep that.
    layout
        Meaning of a sample's axes: row (numbers), sequence (length, channels), map (height, width,
        channels; the axis of one channel may be left out) or steps (time steps, width). A sample of
        one axis is a row, others are maps if not given.
    arithmetic
        "bfloat16" multiplies operands of that precision on processors that do so in hardware, two
        to three times as fast; on others in float32. Validation is always in float64.
    unrolled
        Of a text: time steps of a training sequence, through which gradients go back; its state
        goes on from one batch to the next.
    half_levels
        Whether the exported network has its thresholds of bits half-way between two sums; trained
        ones are real numbers, which lie there in the mean.
    per_class
        Largest number of samples of a class in one epoch, drawn anew for every epoch.
    uniform
        One setting of weights, signals and ADCs for all layers; each layer has its own if not
        given.
    gain
        One gain for the ADCs of all layers, whose ranges follow from each layer's own inputs and
        weights; training knows no ADCs if neither is given.
    search
        Variants that `pimsim search` chooses from; a training leaves it aside.
    """

    name: str
    seed: Seed = 1
    arithmetic: Literal["float32", "bfloat16"] = "bfloat16"
    data: str
    test: str | None = None
    validation: Annotated[float, Field(gt=0, lt=1)] = 0.1
    layout: Layout | None = None
    unrolled: Annotated[int, Field(ge=1, le=10_000)] = 100
    half_levels: bool = False
    per_class: Annotated[int, Field(ge=1)] | None = None
    uniform: UniformKeys | None = None
    gain: GainKeys | None = None
    search: SearchKeys | None = None
    network: Annotated[tuple[Block, ...], Field(min_length=1)]
    stages: Annotated[
        tuple[BlockStage, ...],
        Field(min_length=1, max_length=MAX_STAGES),
        AfterValidator(each_named_once),
    ]
