"""How the site is built: `sphinx-build -W docs docs/_build`, with the extra `docs`."""

from __future__ import annotations

from pimsim import __version__

project = "pimsim"
author = "The pimsim founders"
release = version = __version__
extensions = ["myst_parser", "sphinx.ext.mathjax", "sphinx_copybutton"]
myst_enable_extensions = ["dollarmath"]
html_theme = "furo"
html_title = f"pimsim {__version__}"
exclude_patterns = ["_build"]
