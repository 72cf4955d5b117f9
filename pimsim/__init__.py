"""pimsim: a simulator of eNVM processing-in-memory chips.

`run`, `compare` and `sweep` do what the commands of these names do (docs/python.md); `Dataset`
holds data of your own (docs/your_data.md); `export` makes a network of a torch module, and `load`
reads one from its file (docs/your_network.md).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pimsim.api import Comparison, Run, Sweep, compare, run, sweep
    from pimsim.data import Dataset
    from pimsim.importers.torch_export import export
    from pimsim.workload import read_network as load

__all__ = [
    "Comparison",
    "Dataset",
    "Run",
    "Sweep",
    "__version__",
    "compare",
    "export",
    "load",
    "run",
    "sweep",
]
__version__ = "0.1.0"

# where names live that are not in `pimsim.api`
_ELSEWHERE = {
    "Dataset": ("pimsim.data", "Dataset"),
    "export": ("pimsim.importers.torch_export", "export"),
    "load": ("pimsim.workload", "read_network"),
}


def __getattr__(name: str) -> Any:
    """Import a public name at its first use; the command's help needs none of them."""
    if name not in __all__:
        raise AttributeError(f"module 'pimsim' has no attribute '{name}'")
    module, own = _ELSEWHERE.get(name, ("pimsim.api", name))
    if name == "export":
        _require_torch()
    return getattr(import_module(module), own)


def _require_torch() -> None:
    from importlib.util import find_spec

    from pimsim.errors import ConfigError

    if find_spec("torch") is None:
        raise ConfigError(
            "pimsim.export needs torch, which is not installed",
            remedy="Install it with: pip install 'pimsim[train]'",
        )


def __dir__() -> list[str]:
    return __all__
