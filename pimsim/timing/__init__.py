"""When things happen: a chip's components cycle by cycle."""
