"""What schemathesis leaves out: loaded by it, not by us."""

from typing import Any
from urllib.parse import unquote

import schemathesis


@schemathesis.hook
def filter_case(context: schemathesis.HookContext, case: schemathesis.Case[Any]) -> bool:  # noqa: ARG001
    """Leave out addresses that functions-framework refuses before any function is called: with a line break."""
    values: dict[str, Any] = dict(case.path_parameters or {})
    written = unquote("/".join(str(value) for value in values.values()))
    return not any(character in written for character in "\n\r\x85\u2028\u2029")
