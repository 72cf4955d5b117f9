"""Blocks of trainable networks for arrays of few levels, as torch modules."""
