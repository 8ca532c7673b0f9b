"""How many examples a property is tried on: a few in `make test`, all of them in `make test-long`."""

import os
from typing import Any

from hypothesis import settings

_ALL = "ALL_EXAMPLES" in os.environ


def examples(most: int, *, few: int, **options: Any) -> settings:
    """Try a property on `few` examples, other ones in each run, and on `most` where ALL_EXAMPLES is set."""
    return settings(max_examples=most if _ALL else few, deadline=None, **options)
