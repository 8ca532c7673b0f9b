"""Write infra/tests/deployment.json again, from what `terraform test` prints when it differs: `make infra-record`."""

import base64
import json
import re
import sys
from pathlib import Path

RECORDED = Path(__file__).parents[2] / "infra" / "tests" / "deployment.json"
"""The document of the deployment in infra/tests/doctor.tftest.hcl."""
_PRINTED = re.compile(r"from:\s+(eyJ[A-Za-z0-9+/=]+)")


def main() -> None:
    """Read the output of the tests; exit status 1 if they printed no document."""
    found = _PRINTED.search(sys.stdin.read())
    if found is None:
        sys.exit("the tests printed no document: tests/deployment.json is up to date, or they failed before")
    document = json.loads(base64.b64decode(found[1]))
    RECORDED.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
