"""`pimsim export`."""

from __future__ import annotations

from pathlib import Path

import click

from pimsim.cli.options import Target, out_option


@click.command()
@click.argument("checkpoint", type=click.Path(path_type=Path))
@out_option("The .safetensors file to write.", Target(), required=True, spellings=("--output",))
@click.option("--note", default="", help="A remark for the network's provenance.")
def export(checkpoint: Path, out: Path, note: str) -> None:
    """Export CHECKPOINT, a .pt file of `pimsim train`, as a network for the simulator.

    Needs the training data: pre-activations are measured on them, and accuracy on
    their validation part and on every test set that this machine has.
    """
    from pimsim.cli.train import require_torch

    require_torch()
    from pimsim.train.export import export as write

    network = write(checkpoint, out, note)
    for found in network.provenance["accuracy"]:
        value = network.metric.text(found["value"])
        recall = found.get("mean_recall")
        over = "" if recall is None else f", mean over classes {network.metric.text(recall)}"
        click.echo(f"{found['set']}: {value} of {found['n']} ({found['form']}){over}")
    click.echo(f"network: {out}")
