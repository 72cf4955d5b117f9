"""What actions cost: counts times sourced unit energies."""
