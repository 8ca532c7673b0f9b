"""Compress pages. Cloud Run compresses nothing, and a page is a tenth of its size when compressed.

The size of a compressed page tells something about secrets in it, if another site can make the browser open it with
chosen text in the address: the attack BREACH, breachattack.com. So only pages that the console itself or the visitor
opens are compressed, as the browser says in Sec-Fetch-Site.
"""

import gzip

from flask import Request, Response

_LEAST_BYTES = 1_000
_FAST = 4
"""The level of compression: higher ones take several times as long and save a few percent."""


def compress_page(request: Request, response: Response) -> None:
    """Compress an HTML answer if it is worth it, the browser accepts that, and no other site asked for it."""
    if response.mimetype != "text/html" or response.is_streamed:
        return
    response.vary.add("Accept-Encoding")
    response.vary.add("Sec-Fetch-Site")
    accepted = request.accept_encodings.quality("gzip") > 0
    asked_here = request.headers.get("Sec-Fetch-Site") in ("same-origin", "none")
    if accepted and asked_here and len(response.data) > _LEAST_BYTES:
        response.data = gzip.compress(response.data, _FAST, mtime=0)
        response.headers["Content-Encoding"] = "gzip"
