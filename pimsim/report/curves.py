"""The picture of a training: loss and validation accuracy, epoch by epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from pimsim.report.figures import COLOURS, one_look, save_figure

_ACCURACIES = {"smooth": "sigmoids", "bits": "bits", "bits_average": "bits, running mean"}


def write_curves(log: Sequence[Mapping[str, Any]], stem: Path) -> Path:
    """Draw a training's log as `stem`.svg: loss above, validation accuracy below.

    Parameters
    ----------
    log : list of dict
        One entry per epoch, as in `log.jsonl`.
    stem : Path
    """
    epochs = range(1, len(log) + 1)
    starts = [i for i in range(len(log)) if i == 0 or log[i]["stage"] != log[i - 1]["stage"]]
    with one_look():
        figure = Figure(figsize=(6.4, 5.4), layout="constrained")
        loss, accuracy = figure.subplots(2, 1, sharex=True)
        loss.plot(epochs, [entry["loss"] for entry in log], color=COLOURS[0])
        loss.set_ylabel("training loss")
        loss.set_yscale("log")
        for colour, (key, label) in zip(COLOURS, _ACCURACIES.items(), strict=False):
            known = [i for i, entry in enumerate(log) if key in entry]
            if known:
                values = [100 * log[i][key] for i in known]
                accuracy.plot([i + 1 for i in known], values, color=colour, label=label, marker=".")
        accuracy.set_ylabel("validation accuracy [%]")
        accuracy.set_xlabel("epoch")
        accuracy.legend(loc="lower right")
        for start in starts:
            for axes in (loss, accuracy):
                axes.axvline(start + 0.5, color="#555555", linewidth=0.6)
            top = (start + 0.6, 1.0)
            name = str(log[start]["stage"])
            loss.annotate(name, top, xycoords=("data", "axes fraction"), va="bottom", fontsize=8)
        return save_figure(figure, stem, "svg")[0]
