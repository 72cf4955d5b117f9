"""Training recipes: YAML files whose stages say how a network came to be."""

from __future__ import annotations

import fnmatch
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from pimsim.config.schema import validate
from pimsim.config.source import YamlSource, read_yaml
from pimsim.errors import ConfigError
from pimsim.train.augment import Augmentation
from pimsim.train.neurons import (
    Neuron,
    NoisyBinaryNeuron,
    NoisyContinuousNeuron,
    StochasticBinaryNeuron,
)
from pimsim.train.quantize import Quantizer, quantizer_for

Share = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[float, Field(gt=0)]
Width = Annotated[int, Field(ge=1, le=65_536)]
Levels = Annotated[int, Field(ge=2, le=255)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class GruShape(_Strict):
    """The trigger-word GRU of Fig. 2a."""

    kind: Literal["gru"]
    inputs: Width = 40
    hidden: Width = 128
    layers: Annotated[int, Field(ge=1, le=64)] = 2
    frame_average: Annotated[int, Field(ge=1)] = 1


class Lenet5Shape(_Strict):
    """LeNet5: two convolutions, three dense layers."""

    kind: Literal["lenet5"]
    channels: tuple[Width, Width] = (16, 32)
    dense: tuple[Width, Width] = (120, 84)


class NeuronRecipe(_Strict):
    """Which neuron a stage trains with, and how noisy it is.

    `sigma` is in units of pre-activation, or, as `sigma_share`, a share of the
    measured standard deviation of the pre-activations when the stage begins.  Over the
    epochs of a stage the temperature moves evenly on a logarithmic scale to
    `final_temperature`, the steepness of a stochastic neuron evenly to `final_steepness`
    (slope annealing, Chung et al. 2017), the share of binary neurons that put out bits
    evenly to `final_share`.
    """

    kind: Literal["continuous", "binary", "stochastic"]
    sigma: Annotated[float, Field(ge=0)] = 0.0
    sigma_share: Annotated[float, Field(ge=0)] | None = None
    temperature: Positive = 0.3
    final_temperature: Positive | None = None
    share: Annotated[float, Field(ge=0, le=1)] = 1.0
    final_share: Annotated[float, Field(ge=0, le=1)] | None = None
    steepness: Positive = 1.0
    final_steepness: Positive | None = None

    def without_noise(self) -> NeuronRecipe:
        """The same neuron, deterministic: a stochastic one becomes its mean."""
        if self.kind == "stochastic":
            last = self.final_steepness
            return NeuronRecipe(
                kind="continuous",
                temperature=1 / self.steepness,
                final_temperature=None if last is None else 1 / last,
            )
        update = {"sigma": 0.0, "sigma_share": None, "share": 1.0, "final_share": None}
        return self.model_copy(update=update)

    def build(self, spread: float, progress: float = 0.0) -> Neuron:
        """The neuron at a stage's progress 0..1, for pre-activations of this spread."""
        if self.kind == "stochastic":
            last = self.steepness if self.final_steepness is None else self.final_steepness
            return StochasticBinaryNeuron(self.steepness + (last - self.steepness) * progress)
        sigma = self.sigma if self.sigma_share is None else self.sigma_share * spread
        final = self.temperature if self.final_temperature is None else self.final_temperature
        temperature = self.temperature * (final / self.temperature) ** progress
        if self.kind == "continuous":
            return NoisyContinuousNeuron(sigma, temperature)
        share = self.share
        if self.final_share is not None:
            share += (self.final_share - share) * progress
        return NoisyBinaryNeuron(sigma, temperature, share)


class WeightsRecipe(_Strict):
    """Levels of the array matrices; without a block, weights are full precision.

    Attributes
    ----------
    levels
        For all matrices, or by name: a name may be a pattern such as "gru0.*"; the
        first that fits counts.
    range
        "fixed": taken once from the pre-trained weights (section 3.2); "learned":
        trained from there on.
    range_deviations
        The clipping range in standard deviations of a matrix's weights.
    cell_error
        Static error of a cell pair in training, as a share of the range.
    """

    levels: Levels | dict[str, Levels]
    range: Literal["fixed", "learned"] = "fixed"
    range_deviations: Positive = 2.0
    cell_error: Annotated[float, Field(ge=0)] = 0.0

    def quantizer(self, matrix: str) -> Quantizer:
        """The paper's quantiser for the levels of a matrix.

        Raises
        ------
        ConfigError
            If no pattern fits the name.
        """
        if isinstance(self.levels, int):
            return quantizer_for(self.levels, self.range_deviations)
        for pattern, levels in self.levels.items():
            if fnmatch.fnmatchcase(matrix, pattern):
                return quantizer_for(levels, self.range_deviations)
        raise ConfigError(
            f"weights.levels says nothing of matrix '{matrix}'",
            remedy=f"It has {', '.join(self.levels)}; add '{matrix}', or '*' for all others",
        )


class Stage(_Strict):
    """A block of epochs with one neuron, one kind of weight and one learning-rate curve.

    Attributes
    ----------
    learning_rate, final_learning_rate, warmup
        Linear over the first `warmup` batches, then half a cosine down.
    optimizer
        Of the array matrices (`pimsim.train.optimizer`); the ends always have AdamW.
    name
        Also of the checkpoint that the stage leaves, so it holds no path.
    error_limit
        Of a GRU's sequences one by one, on the way back through time: the largest norm of a
        sequence's own loss by its hidden state.  Through bits the gradients of a few sequences
        grow a thousandfold over a hundred steps, and the others drown in them.
    level
        Of speech: clips are normalised, and this is the mean over the bands of each one's
        loudest frame then [pixels of the log-mel, 2.28 per dB].  The exported network does so
        with the level of the last stage.
    average
        Decay per batch of a running mean of the parameters, which the stage ends with.
    distill
        Share of the loss that comes from imitating the last float stage before.
    """

    name: Annotated[str, Field(pattern=r"^\w[\w .+-]{0,99}$")]
    epochs: Annotated[int, Field(ge=1)]
    batch: Annotated[int, Field(ge=1)] = 256
    learning_rate: Positive
    final_learning_rate: Positive | None = None
    warmup: Annotated[int, Field(ge=0)] = 100
    optimizer: Literal["adamw", "muon"] = "muon"
    label_smoothing: Share = 0.0
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    gradient_clip: Positive = 1.0
    error_limit: Positive | None = None
    level: Annotated[float, Field(ge=0, le=255)] | None = None
    average: Share = 0.0
    distill: Share = 0.0
    neuron: NeuronRecipe
    weights: WeightsRecipe | None = None
    augmentation: Augmentation = Augmentation()

    @property
    def is_float(self) -> bool:
        """Whether it trains the float baseline: plain sigmoids, full-precision weights."""
        plain = NeuronRecipe(kind="continuous", temperature=1.0)
        return self.weights is None and self.neuron == plain


class DataRecipe(_Strict):
    """Training data, found as `pimsim.data.catalog` finds data sets.

    `synthetic_share` of each epoch of speech is synthesised, by voices that the embedded
    evaluation set does not have.
    """

    kind: Literal["speech_commands", "mnist"]
    synthetic_share: Share = 0.0


class Recipe(_Strict):
    """A network, its data, and the stages it goes through.

    A recipe that comes `after` another (a path relative to its own) begins with all that
    recipe's stages, and takes over what it does not say itself.

    `arithmetic` "bfloat16" trains GRUs with operands of that precision (`pimsim.train.fast`) on
    processors that multiply such matrices in hardware, where it is two to three times as fast;
    on others in float32.  Validation is always in float32.
    """

    name: str
    seed: int = 1
    arithmetic: Literal["float32", "bfloat16"] = "bfloat16"
    network: Annotated[GruShape | Lenet5Shape, Field(discriminator="kind")]
    data: DataRecipe
    stages: Annotated[tuple[Stage, ...], Field(min_length=1)]

    @property
    def hears_recordings(self) -> bool:
        """Whether a stage takes background from the data set's long recordings."""
        return any(stage.augmentation.recordings for stage in self.stages)


def read_recipe(path: Path) -> Recipe:
    """Read and check a recipe.

    Raises
    ------
    ConfigError
        If the file is missing, no YAML, or does not describe a training.
    """
    return validate(_read_chain(path, ()), Recipe)


def _read_chain(path: Path, after: tuple[Path, ...]) -> YamlSource:
    """A recipe file, merged with the recipe that it comes after."""
    source = read_yaml(path)
    if "after" not in source.tree:
        return source
    place = source.place(("after",))
    own = source.tree
    before = path.parent / str(own.pop("after"))
    if before.resolve() in after:
        raise ConfigError(f"comes after itself, by way of {before}", place=place)
    base = _read_chain(before, (*after, path.resolve())).tree
    if not isinstance(base.get("stages"), list):
        raise ConfigError(f"names {before}, which has no stages", place=place)
    stages = own.get("stages", [])
    if not isinstance(stages, list):
        raise ConfigError("is no list of stages", place=source.place(("stages",)))
    # stages count from the first recipe of the chain, so these lines lead nowhere
    source.lines = {at: line for at, line in source.lines.items() if at[:1] != ("stages",)}
    source.tree = base | own | {"stages": [*base["stages"], *stages]}
    return source
