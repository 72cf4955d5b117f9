"""Compiled inner loops: arrays and numbers in, arrays out; no units, classes or files."""
