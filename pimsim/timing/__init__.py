"""Timing: a chip's components cycle by cycle."""
