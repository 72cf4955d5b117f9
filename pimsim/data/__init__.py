"""Data sets: recordings and images, the front end, and where they are found."""

from pimsim.data.catalog import load
from pimsim.data.dataset import Dataset

__all__ = ["Dataset", "load"]
