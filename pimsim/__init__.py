"""pimsim: a simulator of eNVM processing-in-memory chips.

`run`, `compare` and `sweep` do what the commands of these names do (docs/python.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pimsim.api import Comparison, Run, Sweep, compare, run, sweep

__all__ = ["Comparison", "Run", "Sweep", "__version__", "compare", "run", "sweep"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Import a public name at its first use; the command's help needs none of them."""
    if name not in __all__:
        raise AttributeError(f"module 'pimsim' has no attribute '{name}'")
    from pimsim import api

    return getattr(api, name)


def __dir__() -> list[str]:
    return __all__
