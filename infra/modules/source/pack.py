"""Packs the files of a deployment into an archive; main.tf beside it runs this, and says which files.

The same files make the same archive on every machine. Uses nothing but Python.
"""

import hashlib
import os
import sys
import zipfile
from pathlib import Path

LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the earliest time that an archive can say: no clock changes its bytes
READABLE = 0o100644 << 16


def main() -> None:
    """Write $ARCHIVE, with a file for each line `name TAB path` of $FILES, and remove archives of earlier runs beside it."""
    contents = {}
    for line in sorted(os.environ["FILES"].splitlines()):
        name, _, path = line.partition("\t")
        contents[name] = Path(path).read_bytes()
    if digest(contents) != os.environ["DIGEST"]:
        sys.exit("The files have changed since Terraform planned this deployment: run terraform apply again.")
    archive = Path(os.environ["ARCHIVE"])
    archive.parent.mkdir(parents=True, exist_ok=True)
    for earlier in archive.parent.glob("tminus-*.zip"):
        earlier.unlink()
    pack(contents, archive)


def digest(contents: dict[str, bytes]) -> str:
    """Return the hash that names the archive: that of what sha256sum prints for its files, sorted by name."""
    lines = (f"{hashlib.sha256(contents[name]).hexdigest()}  {name}\n" for name in sorted(contents))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def pack(contents: dict[str, bytes], archive: Path) -> None:
    """Write the archive whole, or not at all."""
    unfinished = archive.with_suffix(".unfinished")
    with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        for name in sorted(contents):
            entry = zipfile.ZipInfo(name, LONG_AGO)
            entry.external_attr, entry.compress_type = READABLE, zipfile.ZIP_DEFLATED
            packed.writestr(entry, contents[name])
    unfinished.replace(archive)


if __name__ == "__main__":
    main()
