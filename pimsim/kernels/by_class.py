"""Functions of kernels that the class of their first argument chooses.

Kernels take NamedTuples.  Compiled code is made once for each class, and found on disk by the next
process.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import singledispatch
from typing import Any

from numba.extending import overload


def by_class(form: Callable[..., Any]) -> Any:
    """Let the class of the first argument choose the function, in Python and in compiled code.

    Further forms are registered as with `functools.singledispatch`.
    """
    dispatched = singledispatch(form)

    @overload(dispatched, strict=False)
    def choose(first, *others):  # type: ignore[no-untyped-def]
        return dispatched.registry.get(getattr(first, "instance_class", None))

    return dispatched
