"""The rights in a deployment, as the tests of infra/ have found them in Terraform's output `grants`."""

import re

from local.standins.grants import Grants
from tests.terraform import INFRA


def deployed(project: str, *, without: str = "") -> Grants:
    """Return the rights of a plain deployment, of a project with this name, but for the line `without`."""
    text = (INFRA / "tests" / "deployment.tftest.hcl").read_text(encoding="utf-8")
    listed = text.partition("condition = output.grants == tolist([")[2].partition("])")[0]
    lines = re.findall(r'^\s+"(.+)",$', listed, re.MULTILINE)
    assert len(lines) > 40, "infra/tests/deployment.tftest.hcl lists all grants"
    return Grants.read([line for line in lines if line != without], project=project)
