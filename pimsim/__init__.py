"""pimsim: a simulator of eNVM processing-in-memory chips without converters."""

__version__ = "0.1.0"
