"""The console on one's own machine answers to that machine's names only."""

from contextlib import closing

import pytest
from werkzeug.test import Client

from local.runtime.functions import load_functions
from local.runtime.serving import SOURCE, http_server
from tests.functional.conftest import Lab

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("host", "status"), [("127.0.0.1:8080", 200), ("localhost", 200), ("evil.example:8080", 421), ("", 421)]
)
def test_no_name_that_points_here_from_the_internet_is_taken_for_this_machine(
    host: str, status: int, lab: Lab
) -> None:
    server = http_server(load_functions(("console",), SOURCE), lab.ports, "127.0.0.1", 0)
    with closing(server.socket):
        response = Client(server.app, use_cookies=False).get("/console/", headers={"Host": host})
    assert response.status_code == status
