"""A process that sends one shard of a laboratory's live push over FCM, to be killed while it does."""

import sys
from dataclasses import replace
from pathlib import Path

from functions.domain.policy import Policy
from functions.gcp.clock import SystemClock
from functions.gcp.fcm.sender import FcmSender
from functions.settings import FcmSettings
from functions.usecases.timeline.send_shard import send_shard
from tests.functional.conftest import SEND_AT, Lab

POLICY = replace(Policy(), chunk_rows=50)


def main() -> None:
    folder, endpoint, ca_file, credentials_file = sys.argv[1:]
    settings = FcmSettings(
        project="demo", endpoint=endpoint, ca_file=Path(ca_file), credentials_file=Path(credentials_file)
    )
    lab = Lab(Path(folder), policy=POLICY)
    lab.wrap = lambda ports: replace(ports, sender=FcmSender(settings, SystemClock()))
    lab.clock.advance_to(SEND_AT)
    send_shard(lab.open().ports, lab.id, 1, 1)


if __name__ == "__main__":
    main()
