"""The NN front end: trains networks for the chip (the only room where torch lives)."""
