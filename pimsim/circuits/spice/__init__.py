"""Decks of drawn columns for ngspice: cells, wires, clamps, loads, drivers and amplifiers."""

from pimsim.circuits.spice.amplifiers import AMPLIFIERS
from pimsim.circuits.spice.deck import Deck, DeckColumn, deck_text

__all__ = ["AMPLIFIERS", "Deck", "DeckColumn", "deck_text"]
