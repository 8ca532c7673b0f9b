"""Small pictures: enough of a JPEG and of a PNG to say a size."""

import struct


def png(width: int, height: int) -> bytes:
    """The beginning of a PNG."""
    return b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", width, height) + b"\x08\x02\0\0\0" + bytes(8)


def jpeg(width: int, height: int, *, before: bytes = b"") -> bytes:
    """The beginning of a JPEG, with segments `before` its frame."""
    return b"\xff\xd8" + before + b"\xff\xc0\0\x11\x08" + struct.pack(">HH", height, width) + bytes(12)
