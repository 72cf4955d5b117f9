"""Data sets of speech and images, the catalog that finds them, and the audio front end."""

from pimsim.data.catalog import load
from pimsim.data.dataset import Dataset

__all__ = ["Dataset", "load"]
