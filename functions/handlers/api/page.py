"""The page that shows the API to people: Swagger UI from the package flask-swagger-ui, which needs no internet.

The page's own script is a file like the others, so that no inline script has to be allowed.
"""

from functools import cache
from importlib.resources import files

from functions.handlers.http.headers import content_security_policy

_TYPES = {"js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8", "png": "image/png"}
_OWN = "start.js"
_ASSETS = ("swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png")

POLICY = content_security_policy(
    script_src="'self'", style_src="'self' 'unsafe-inline'", img_src="'self' data:", connect_src="'self'"
)
"""Swagger UI sets inline styles, so they have to be allowed. Scripts are allowed from this origin only."""
PAGE = b"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Tminus API</title>
<link rel="icon" href="docs/favicon-32x32.png">
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<div id="calls"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"""
_START = b"""SwaggerUIBundle({ url: "openapi.json", dom_id: "#calls", deepLinking: true, validatorUrl: null });
"""


@cache
def asset(name: str) -> tuple[bytes, str] | None:
    """Return a file of the page and its content type; None if it has no such file."""
    content_type = _TYPES.get(name.rpartition(".")[2], "")
    if name == _OWN:
        return _START, content_type
    if name not in _ASSETS:
        return None
    return files("flask_swagger_ui").joinpath("dist", name).read_bytes(), content_type
