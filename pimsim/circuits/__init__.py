"""Circuit components: one file each, with its parameters and what it does to a signal."""
