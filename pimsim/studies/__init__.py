"""What an architect asks: runs, comparisons, sweeps, devices, traces, validation."""
