"""Data sets: recordings and images, the front end, and where they are found."""
