"""``python -m shrinkage …`` is the command ``shrinkage …``."""

from __future__ import annotations

import sys

from shrinkage.cli import main

if __name__ == "__main__":
    sys.exit(main())
