"""Networks from ONNX files, those of QONNX included."""

from __future__ import annotations

from pathlib import Path

from pimsim.errors import ConfigError
from pimsim.importers.ops import Trained


def read_onnx(path: str | Path) -> Trained:
    """Read a trained network from an ONNX file.

    Parameters
    ----------
    path
        File with its weights inside, of at most 256 MB.

    Returns
    -------
    Trained
        Operations in floating point, with the layouts of `pimsim.importers.ops`.

    Raises
    ------
    ConfigError
        If the package onnx is not installed.
    DataError
        If the file cannot be read, is damaged, or keeps its weights in other files.
    NetworkImportError
        If the network has an operation that cannot be brought over; the error names its node.
    """
    try:
        import onnx  # noqa: F401
    except ModuleNotFoundError as error:
        raise ConfigError(
            "reading ONNX files needs the package onnx, which is not installed",
            remedy="Install it with pip install 'pimsim[onnx]'",
        ) from error
    from pimsim.importers.onnx.reader import read

    return read(Path(path))
