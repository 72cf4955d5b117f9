"""`pimsim import`."""

from __future__ import annotations

from pathlib import Path

import click

from pimsim.cli.names import completed
from pimsim.cli.options import Target, Whole, out_option

# of weights and codes; codes are held in bytes
_BITS = Whole(1, 8)


@click.command("import")
@click.argument("file", metavar="MODEL.onnx", type=click.Path(path_type=Path))
@click.option("--data", required=True, metavar="DATA", shell_complete=completed("data"),
              help="Data set by name or path: ranges of codes are chosen and classes compared on "
              "it.")  # fmt: skip
@out_option("The .safetensors file to write.", Target(), required=True)
@click.option("--bits", type=_BITS, default=8, show_default=True,
              help="Bits of codes where the network names none.")  # fmt: skip
@click.option("--weight-bits", type=Whole(2, 8), default=8, show_default=True,
              help="Bits of weights where the network names none.")  # fmt: skip
@click.option("--input-bits", type=_BITS, default=8, show_default=True,
              help="Bits of inputs that drive arrays.")  # fmt: skip
@click.option("--half-levels", is_flag=True,
              help="Put thresholds of bits half-way between two sums, in finer cells.")  # fmt: skip
@click.option("--name", help="Name of the network; that of the file if not given.")
def import_(
    file: Path,
    data: str,
    out: Path,
    bits: int,
    weight_bits: int,
    input_bits: int,
    half_levels: bool,
    name: str | None,
) -> None:
    """Bring a trained network over from an ONNX file (needs the 'onnx' extra).

    Prints the layers, and how often the network's class is that of the file.
    """
    from pimsim.data.catalog import load
    from pimsim.errors import ConfigError, Place
    from pimsim.importers.build import network as build
    from pimsim.importers.onnx import read_onnx
    from pimsim.report.network import layer_table
    from pimsim.report.terminal import print_table, terminal
    from pimsim.workload import write_network

    if out.suffix != ".safetensors":
        raise ConfigError(
            "does not end in .safetensors",
            place=Place(out),
            remedy=f"Name it {out.name}.safetensors",
        )
    trained = read_onnx(file)
    network = build(
        trained,
        load(data, place=Place("--data")),
        bits=bits,
        weight_bits=weight_bits,
        input_bits=input_bits,
        half_levels=half_levels,
        name=name or file.stem,
    )
    write_network(network, out)
    print_table(layer_table(network), terminal(), "Layers")
    found = network.provenance["import"]
    click.echo(
        f"same class as the file for {found['same_class']:.2%} of {found['compared_samples']} "
        f"samples of {found['data']}"
    )
    metric = network.metric
    own, in_file = (metric.text(found[f"{metric.key}{which}"]) for which in ("", "_trained"))
    click.echo(f"{metric.name}: {own} (in the file {in_file})")
    click.echo(f"network: {out}")
