"""Figure and table of docs/theory/read_out.md: accuracy against the resistance of the wires.

`python docs/ir_drop_figure.py` runs the shipped GRU and LeNet5 on ReRAM with wires of the chip's
resistance and of several times as much, writes docs/data/ir_drop.json and
docs/figures/ir_drop.svg, and fills the table of the page. Chips, sequences and every draw of noise
are the same in all points of a network.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tables import MeasuredTable, Row

from pimsim.errors import MappingError
from pimsim.simulate import encode_inputs, run_chips
from pimsim.studies.prepare import Prepared, prepare

HERE = Path(__file__).parent
PAGE = HERE / "theory" / "read_out.md"
DATA = HERE / "data" / "ir_drop.json"
FIGURE = HERE / "figures" / "ir_drop"
FORMS = ("none", "first_order", "exact")
WORDS = {"none": "none", "first_order": "first order", "exact": "exact"}
# of the wires of the technology file
FACTORS = (1, 8, 20, 40)
CHIPS = 4
# networks with their numbers of sequences: every step of each is a ladder for each column
NETWORKS = {"gru": 200, "lenet5": 200}


def wires_of(network: str, factor: float) -> str:
    """Option `--set` that gives the wires of a bundled model `factor` times the resistance."""
    own = prepare(network, {"limit": 1}).setup.technology.wire.resistance_per_length
    return f"technology.wire.resistance_per_length={own * factor / 1e6:g} ohm/um"


def prepared_with(network: str, factor: float, n_sequences: int) -> Prepared:
    """A bundled model whose wires have `factor` times the resistance."""
    return prepare(network, {"limit": n_sequences}, [wires_of(network, factor)])


def accuracies(prepared: Prepared, form: str) -> list[float] | None:
    """Accuracy of each chip; None where the form does not hold."""
    noise = prepared.setup.noise.model_copy(update={"ir_drop": form})
    chip, data = prepared.chip(noise), prepared.data
    try:
        run = run_chips(
            chip,
            encode_inputs(chip, data.features),
            range(CHIPS),
            prepared.setup.run.seed,
            sample_indices=data.sample_indices,
        )
    except MappingError:
        return None
    return [float((found == data.labels).mean()) for found in run.predictions]


def measured() -> dict[str, Any]:
    """Accuracies of all points."""
    points = []
    for network, n_sequences in NETWORKS.items():
        for factor in FACTORS:
            prepared = prepared_with(network, factor, n_sequences)
            for form in FORMS:
                if form == "none" and factor > 1:
                    # the resistance changes no bit then
                    continue
                point = {"network": network, "factor": factor, "form": form}
                points.append(point | {"accuracies": accuracies(prepared, form)})
                print(points[-1], flush=True)
    return {"chips": CHIPS, "sequences": NETWORKS, "points": points}


def mean_of(data: dict[str, Any], network: str, factor: float, form: str) -> float | None:
    """Mean accuracy of a point; None where the form does not hold."""
    factor = FACTORS[0] if form == "none" else factor
    wanted = {"network": network, "factor": factor, "form": form}
    (point,) = (p for p in data["points"] if all(p[key] == wanted[key] for key in wanted))
    found = point["accuracies"]
    return None if found is None else sum(found) / len(found)


def rows(data: dict[str, Any]) -> list[Row]:
    """A row for each network and form."""
    head = ("network", "IR drop", *(f"wires x {factor}" for factor in FACTORS))
    body = []
    for network in NETWORKS:
        for form in FORMS:
            means = [mean_of(data, network, factor, form) for factor in FACTORS]
            cells = ["refused" if mean is None else f"{100 * mean:.1f} %" for mean in means]
            body.append((network, WORDS[form], *cells))
    return [head, *body]


def draw(data: dict[str, Any]) -> None:
    """Write the figure."""
    from matplotlib.figure import Figure

    from pimsim.report.figures import COLOURS, MARKERS, log_scale, one_look, save_figure

    with one_look():
        figure = Figure(figsize=(7.2, 2.9), layout="constrained")
        for axes, network in zip(figure.subplots(1, 2), NETWORKS, strict=True):
            for index, form in enumerate(FORMS):
                means = {factor: mean_of(data, network, factor, form) for factor in FACTORS}
                known = {f: 100 * mean for f, mean in means.items() if mean is not None}
                axes.plot(list(known), list(known.values()), label=WORDS[form], linewidth=1.2,
                          color=COLOURS[index], marker=MARKERS[index], markersize=4)  # fmt: skip
            log_scale(axes, "x")
            axes.set(xlabel="resistance of the wires [times]", ylabel="accuracy [%]", title=network)
            axes.legend(title="IR drop", fontsize=8)
        save_figure(figure, FIGURE, "svg")


TABLE = MeasuredTable("accuracy by wires", PAGE, DATA, rows)

if __name__ == "__main__":
    TABLE.write(measured(), draw)
