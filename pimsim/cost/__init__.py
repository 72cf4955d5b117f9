"""Costs of actions: counts times sourced unit energies."""
