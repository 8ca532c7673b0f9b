"""What a file of a job may be called."""

import re

SQL, PYTHON = ".sql", ".py"
NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
"""The name without its ending."""
