"""Studies: runs, comparisons, sweeps, devices, traces, validation."""
