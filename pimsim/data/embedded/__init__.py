"""Data sets small enough to travel with the package; README.md says where they come from."""
