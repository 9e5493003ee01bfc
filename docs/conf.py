"""How the documentation site is built: ``make docs``, strictly, and without a network.

Pages are Markdown (MyST), notebooks appear as they were last run (MyST-NB), and the reference comes
from the docstrings (autodoc, numpydoc). The theme brings no fonts and no scripts from elsewhere.
"""

import os
import sys
from importlib.metadata import version as version_of
from pathlib import Path

# The reference imports shrinkage.keras, and Keras wants one of its backends.
os.environ.setdefault("KERAS_BACKEND", "torch")
sys.path.insert(0, str(Path(__file__).parent / "_sphinx"))

project = "shrinkage"
author = "The shrinkage authors"
project_copyright = author
version = release = version_of("shrinkage")

extensions = ["myst_nb", "sphinx.ext.autodoc", "numpydoc", "formulas", "reference", "access"]
exclude_patterns = ["_build"]
nitpicky = True  # a reference that leads nowhere is an error
# Other packages have pages of their own, but nothing is fetched to find them.
nitpick_ignore_regex = [("py:.*", r"(matplotlib|optuna|sklearn)\..*")]

# Markdown and notebooks
myst_enable_extensions = ["deflist", "dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "off"  # a test runs them
nb_merge_streams = True

# Docstrings tell types in words, with shapes; those of the signatures would say it twice.
autodoc_typehints = "none"
autodoc_member_order = "bysource"
numpydoc_show_class_members = False  # autodoc lists them

# HTML
html_theme = "furo"
html_title = f"shrinkage {version}"
html_math_renderer = "mathml"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
