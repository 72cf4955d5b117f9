"""pimsim: a simulator of eNVM processing-in-memory chips.

`run`, `compare` and `sweep` do what the commands of these names do (docs/python.md); `Dataset`
holds data of your own (docs/your_data.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pimsim.api import Comparison, Run, Sweep, compare, run, sweep
    from pimsim.data import Dataset

__all__ = ["Comparison", "Dataset", "Run", "Sweep", "__version__", "compare", "run", "sweep"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Import a public name at its first use; the command's help needs none of them."""
    if name not in __all__:
        raise AttributeError(f"module 'pimsim' has no attribute '{name}'")
    from pimsim import api, data

    return getattr(data if name == "Dataset" else api, name)


def __dir__() -> list[str]:
    return __all__
