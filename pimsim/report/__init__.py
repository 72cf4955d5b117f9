"""Results as files and tables: JSON, npz, terminal."""
