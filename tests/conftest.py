"""Shared by all tests: `networks` and `naive` become importable from here."""

from __future__ import annotations

import os

# results must not depend on it, and small kernels are quicker without a thread each
os.environ.setdefault("NUMBA_NUM_THREADS", "2")


def pytest_addoption(parser):
    parser.addoption(
        "--rewrite-golden", action="store_true", help="write the files of tests/golden anew"
    )
