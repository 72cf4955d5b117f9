"""`python -m pimsim`, the same as `pimsim`."""

from pimsim.cli.main import main

main()
