"""Compiled inner loops: arrays and numbers in, arrays out; no units, classes or files."""

from pimsim.kernels.cache import use_folder

# before any kernel is decorated
CACHE = use_folder()
