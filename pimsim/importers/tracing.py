"""Whether a module is traced to be read: a block that says what it means need not compute then."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_IS_TRACED = ContextVar("is_traced", default=False)


def is_traced() -> bool:
    """Whether only shapes of outputs count now."""
    return _IS_TRACED.get()


@contextmanager
def traced() -> Iterator[None]:
    """Let `is_traced` hold inside."""
    token = _IS_TRACED.set(True)
    try:
        yield
    finally:
        _IS_TRACED.reset(token)
