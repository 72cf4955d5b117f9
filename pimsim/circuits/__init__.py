"""Circuit components: one file each, with its parameters and its effect on a signal."""
