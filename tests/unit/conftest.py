"""Hypothesis tries the same examples on every run, and takes its time.

`TMINUS_EXPLORE=1 pytest tests/unit` looks for new examples instead.
"""

import os

from hypothesis import settings

settings.register_profile("unit", deadline=None, derandomize="TMINUS_EXPLORE" not in os.environ, print_blob=True)
settings.load_profile("unit")
