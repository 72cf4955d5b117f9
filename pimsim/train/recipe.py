"""Training recipes: YAML files with a network, its data and the stages of its training."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from pimsim.config.schema import validate
from pimsim.config.source import YamlSource, read_yaml
from pimsim.errors import ConfigError
from pimsim.files import look, whole_path
from pimsim.nn.neurons import (
    Neuron,
    NoisyBinaryNeuron,
    NoisyContinuousNeuron,
    StochasticBinaryNeuron,
)
from pimsim.train.augment import Augmentation
from pimsim.train.block_recipe import (
    MAX_STAGES,
    BlockRecipe,
    Epochs,
    Seed,
    StageName,
    each_named_once,
)
from pimsim.train.neuron_keys import Strict
from pimsim.train.torch_network import FIRST
from pimsim.train.weights_recipe import WeightsRecipe
from pimsim.workload import Running
from pimsim.workload.inputs.running import MAX_DELAY

Share = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[float, Field(gt=0)]
Width = Annotated[int, Field(ge=1, le=65_536)]
Count = Annotated[int, Field(ge=1, le=255)]
Levels = Annotated[int, Field(ge=2, le=255)]
# of augmentation, whatever its unit
MAX_CHANGE = 10_000


class ThermometerKeys(Strict):
    """First layer in arrays: each input is compared with limits, and the bits drive word lines.

    Attributes
    ----------
    counts
        Limits of every input, or of each; the last number holds for all that follow.
    spacing
        "quantile": limits divide the training data into equal shares; "even": their range.
    learned
        Whether limits are trained.
    layer
        Of a GRU: whether a dense layer reads the bits, or the first GRU layer itself.
    from_stage
        Name of the stage that begins with it. Stages before have a real-valued encoder; levels
        and thresholds then imitate its sums (`pimsim.train.imitation`).
    """

    counts: Count | tuple[Count, ...]
    spacing: Literal["quantile", "even"] = "quantile"
    learned: bool = False
    layer: bool = True
    from_stage: StageName | None = None

    @model_validator(mode="after")
    def _encoder_is_a_layer(self) -> Self:
        if self.from_stage is not None and not self.layer:
            raise ValueError("from_stage puts a dense layer in place of the encoder: layer is true")
        return self

    def counts_of(self, n_inputs: int) -> list[int]:
        """Limits of each input."""
        given = [self.counts] if isinstance(self.counts, int) else list(self.counts)
        return (given + given[-1:] * n_inputs)[:n_inputs]


class GruShape(Strict):
    """The trigger-word GRU of Fig. 2a.

    `transform` "none" gives it log-mel bands, not cepstral coefficients. With `thermometer` its
    first layer is in arrays, the matrix "first"; without, it is a real-valued encoder.
    """

    kind: Literal["gru"]
    inputs: Width = 40
    hidden: Width = 128
    layers: Annotated[int, Field(ge=1, le=64)] = 2
    frame_average: Annotated[int, Field(ge=1)] = 1
    transform: Literal["cosine", "none"] = "cosine"
    thermometer: ThermometerKeys | None = None


class Lenet5Shape(Strict):
    """LeNet5: two convolutions, three dense layers.

    With `thermometer` its first convolution is in arrays, the matrix "first".
    """

    kind: Literal["lenet5"]
    channels: tuple[Width, Width] = (16, 32)
    dense: tuple[Width, Width] = (120, 84)
    thermometer: ThermometerKeys | None = None


class NeuronRecipe(Strict):
    """Neuron of a stage, and its noise.

    `sigma` is in units of pre-activation, or, as `sigma_share`, a share of the
    measured standard deviation of the pre-activations when the stage begins.  Over the
    epochs of a stage the temperature moves evenly on a logarithmic scale to
    `final_temperature`, the steepness of a stochastic neuron linearly to `final_steepness`
    (slope annealing, Chung et al. 2017), and the share of binary neurons that output bits
    linearly to `final_share`.
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
        """The same neuron without noise; a stochastic neuron becomes its mean."""
        if self.kind == "stochastic":
            last = self.final_steepness
            return NeuronRecipe(
                kind="continuous",
                temperature=1 / self.steepness,
                final_temperature=None if last is None else 1 / last,
            )
        update = {"sigma": 0.0, "sigma_share": None, "share": 1.0, "final_share": None}
        return self.model_copy(update=update)

    def build(self, sigma_sums: float, progress: float = 0.0) -> Neuron:
        """Build the neuron at a progress of 0..1; `sigma_sums` is that of the pre-activations."""
        if self.kind == "stochastic":
            last = self.steepness if self.final_steepness is None else self.final_steepness
            return StochasticBinaryNeuron(self.steepness + (last - self.steepness) * progress)
        sigma = self.sigma if self.sigma_share is None else self.sigma_share * sigma_sums
        final = self.temperature if self.final_temperature is None else self.final_temperature
        temperature = self.temperature * (final / self.temperature) ** progress
        if self.kind == "continuous":
            return NoisyContinuousNeuron(sigma, temperature)
        share = self.share
        if self.final_share is not None:
            share += (self.final_share - share) * progress
        return NoisyBinaryNeuron(sigma, temperature, share)


class RunningRecipe(Strict):
    """Normalisation by the level and the means so far (`pimsim.workload.Running`).

    The defaults were chosen on validation clips (docs/decisions/0016).
    """

    start: Annotated[float, Field(ge=0, le=255)] = 130.0
    decay: Annotated[float, Field(ge=0, le=255)] = 0.0625
    mean_shift: Annotated[int, Field(ge=0, le=8)] = 6
    delay: Annotated[int, Field(ge=0, le=MAX_DELAY)] = 0


class Stage(Strict):
    """A series of epochs with one neuron, one kind of weight and one learning-rate schedule.

    Attributes
    ----------
    learning_rate, final_learning_rate, warmup
        Linear increase over the first `warmup` batches, then half a cosine down.
    optimizer
        Optimizer of the array matrices (`pimsim.train.optimizer`); first and output layer
        always use AdamW.
    name
        Name of the stage and of its checkpoint file, so it contains no path.
    error_limit
        Gradient clipping per sequence in backpropagation through time (GRU): largest norm of
        d loss / d H(t).  Through bits, the gradients of a few sequences grow a thousandfold
        over a hundred steps and would dominate the batch.
    level
        Loudness to which speech clips are normalised: mean over the bands of the loudest frame
        [pixels of the log-mel, 2.28 per dB].  The exported network normalises clips to the
        level of the last stage.
    running
        Clips are normalised by the level and the means so far, not by those of the whole clip;
        `{}` takes the values of `RunningRecipe`.  It goes with a level.
    average
        Decay per batch of a running mean of the parameters; the stage ends with that mean.
    distill
        Share of the loss that comes from distillation of the last float stage.
    faults
        File of `pimsim faults`, relative to the recipe: cells that fail on the chip that the stage
        trains for.
    """

    name: StageName
    epochs: Epochs
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
    running: RunningRecipe | None = None
    average: Share = 0.0
    distill: Share = 0.0
    faults: str | None = None
    neuron: NeuronRecipe
    weights: WeightsRecipe | None = None
    augmentation: Augmentation = Augmentation()

    @field_validator("augmentation")
    @classmethod
    def _augmentation_within_bounds(cls, how: Augmentation) -> Augmentation:
        for key, value in vars(how).items():
            if not 0 <= value <= MAX_CHANGE:
                raise ValueError(f"{key} is {value:g}; it must be from 0 to {MAX_CHANGE}")
        return how

    @model_validator(mode="after")
    def _running_to_a_level(self) -> Self:
        if self.running is not None and self.level is None:
            raise ValueError("running needs a level: add the key `level` to the stage")
        return self

    @model_validator(mode="after")
    def _faults_of_levels(self) -> Self:
        if self.faults is not None and self.weights is None:
            raise ValueError("faults are of cells that hold levels: add the key `weights`")
        return self

    @property
    def running_normalisation(self) -> Running | None:
        """Running normalisation of its clips; None: none, or by the whole clip."""
        return None if self.running is None else Running(**self.running.model_dump())

    @property
    def is_float(self) -> bool:
        """Whether the stage trains the float baseline: plain sigmoids, full-precision weights."""
        plain = NeuronRecipe(kind="continuous", temperature=1.0)
        return self.weights is None and self.neuron == plain


class DataRecipe(Strict):
    """Training data, found by `pimsim.data.catalog`.

    A share of `synthetic_share` of each epoch of speech is synthetic, with voices that are not
    in the embedded evaluation set.
    """

    kind: Literal["speech_commands", "mnist"]
    synthetic_share: Share = 0.0


class Recipe(Strict):
    """Recipe of a training: a network, its data, and its stages.

    A recipe with the key `after` (the path of another recipe, relative to its own) begins with
    all stages of that recipe, and inherits every key that it does not set itself.

    `arithmetic` "bfloat16" trains GRUs with operands of that precision (`pimsim.nn.fused`) on
    processors that multiply such matrices in hardware, where it is two to three times as fast;
    on others in float32.  Validation is always in float32.
    """

    name: str
    seed: Seed = 1
    arithmetic: Literal["float32", "bfloat16"] = "bfloat16"
    network: Annotated[GruShape | Lenet5Shape, Field(discriminator="kind")]
    data: DataRecipe
    stages: Annotated[
        tuple[Stage, ...],
        Field(min_length=1, max_length=MAX_STAGES),
        AfterValidator(each_named_once),
    ]

    @model_validator(mode="after")
    def _stage_of_the_arrays(self) -> Self:
        keys = self.network.thermometer
        if keys is None or keys.from_stage is None:
            return self
        names = [stage.name for stage in self.stages]
        if keys.from_stage not in names[1:]:
            raise ValueError(
                f"network.thermometer.from_stage is {keys.from_stage}; it must be one of the "
                f"stages after the first: {', '.join(names[1:]) or 'there are none'}"
            )
        weights = self.stages[names.index(keys.from_stage)].weights
        if weights is None or weights.quantizer(FIRST).n_levels < 3:
            raise ValueError(
                f"stage {keys.from_stage} moves the first layer to arrays, so it needs weights of "
                "3 levels or more"
            )
        return self

    @property
    def uses_recordings(self) -> bool:
        """Whether a stage uses the long recordings of the data set as background."""
        return any(stage.augmentation.recordings for stage in self.stages)


def recipe_schema(title: str) -> dict[str, Any]:
    """JSON Schema of recipes, of blocks or of the networks of the paper.

    One that goes on after another recipe may leave out any key.
    """
    forms: dict[str, type[Strict]] = {"blocks": BlockRecipe, "recipe": Recipe}
    found: dict[str, dict[str, Any]] = {}
    for name, model in forms.items():
        prefix = f"#/$defs/{name}/$defs/{{model}}"
        found[name] = model.model_json_schema(by_alias=True, ref_template=prefix)
    keys = found["recipe"]["properties"]
    going_on = {**found["recipe"], "properties": {**keys, "after": {"type": "string"}},
                "required": ["after"]}  # fmt: skip
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "$defs": {**found, "going_on": going_on},
        "if": {"properties": {"network": {"type": "array"}}, "required": ["network"]},
        "then": {"$ref": "#/$defs/blocks"},
        "else": {
            "if": {"required": ["after"]},
            "then": {"$ref": "#/$defs/going_on"},
            "else": {"$ref": "#/$defs/recipe"},
        },
    }


def read_recipe(path: Path) -> Recipe | BlockRecipe:
    """Read and check a recipe; one whose network is a list is of blocks.

    Raises
    ------
    ConfigError
        If the file is missing, is not YAML, or is not a valid recipe.
    """
    source = _read_chain(path, ())
    if isinstance(source.tree.get("network"), list):
        return _with_paths(validate(source, BlockRecipe), path.parent)
    return validate(source, Recipe)


def _with_paths(recipe: BlockRecipe, base: Path) -> BlockRecipe:
    """The recipe with whole paths for data that are files or folders beside it."""
    paths = {"data": recipe.data, "test": recipe.test}
    found = {
        key: base / name for key, name in paths.items() if name and look(base / name) is not None
    }
    return recipe.model_copy(update={key: str(whole_path(path)) for key, path in found.items()})


def _read_chain(path: Path, after: tuple[Path, ...]) -> YamlSource:
    """Read a recipe file and merge it with the recipe that it names as `after`."""
    source = read_yaml(path)
    _whole_faults(source.tree.get("stages"), path.parent)
    if "after" not in source.tree:
        return source
    place = source.place(("after",))
    own = source.tree
    before = path.parent / str(own.pop("after"))
    if whole_path(before) in after:
        raise ConfigError(f"comes after itself, by way of {before}", place=place)
    base = _read_chain(before, (*after, whole_path(path))).tree
    if not isinstance(base.get("stages"), list):
        raise ConfigError(f"names {before}, which has no stages", place=place)
    stages = own.get("stages", [])
    if not isinstance(stages, list):
        raise ConfigError("is no list of stages", place=source.place(("stages",)))
    # stages count from the first recipe of the chain, so these lines lead nowhere
    source.lines = {at: line for at, line in source.lines.items() if at[:1] != ("stages",)}
    source.tree = base | own | {"stages": [*base["stages"], *stages]}
    return source


def _whole_faults(stages: object, base: Path) -> None:
    """Make paths of files of faults whole, which are relative to the recipe that names them."""
    for stage in stages if isinstance(stages, list) else ():
        if isinstance(stage, dict) and isinstance(stage.get("faults"), str):
            stage["faults"] = str(whole_path(base / stage["faults"]))
