"""What schemathesis leaves out: loaded by it, not by us."""

import ast
from threading import Lock
from typing import Any
from urllib.parse import unquote

import schemathesis

_parse, _one_at_a_time = ast.parse, Lock()


def _parse_alone(*arguments: Any, **options: Any) -> Any:
    """Parse while no other thread does.

    Python 3.11 counts the depth of all threads together and ends with a SystemError:
    github.com/python/cpython/issues/106905. Hypothesis parses its own source in both workers.
    """
    with _one_at_a_time:
        return _parse(*arguments, **options)


ast.parse = _parse_alone


@schemathesis.hook
def filter_case(context: schemathesis.HookContext, case: schemathesis.Case[Any]) -> bool:  # noqa: ARG001
    """Leave out addresses that functions-framework refuses before any function is called: with a line break."""
    values: dict[str, Any] = dict(case.path_parameters or {})
    written = unquote("/".join(str(value) for value in values.values()))
    return not any(character in written for character in "\n\r\x85\u2028\u2029")
