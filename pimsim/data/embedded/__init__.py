"""Data sets small enough to travel with the package."""
