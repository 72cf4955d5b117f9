"""What an architect asks: run, compare, sweep, reproduce, validate, draw, trace, fit."""
