"""How the site is built: `sphinx-build -W docs docs/_build`, with the extra `docs`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from generate import write_reference

from pimsim import __version__

project = "pimsim"
author = "The pimsim founders"
release = version = __version__
extensions = ["myst_parser", "sphinx.ext.mathjax", "sphinx_copybutton"]
myst_enable_extensions = ["dollarmath"]
html_theme = "furo"
html_title = f"pimsim {__version__}"
exclude_patterns = ["_build", "_generated"]

# keys and commands come from the code, anew at every build
GENERATED = Path(__file__).parent / "_generated"
write_reference(GENERATED)
