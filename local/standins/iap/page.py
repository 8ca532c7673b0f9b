"""The page on which a person chooses who to be."""

from collections.abc import Mapping
from html import escape

from functions.domain.roles import Role

_MAY = {
    Role.VIEWER: "reads everything, and previews campaigns",
    Role.OPERATOR: "also cancels and stops sends, and changes campaigns",
    Role.ADMIN: "also changes the frequency caps",
}
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Choose a user &ndash; Tminus</title>
<style>
:root {{ color-scheme: light dark; --page: #f6f6f4; --card: #fff; --line: #dfdfda; --text: #17191c; --soft: #565b63;
  --accent: #2456c9; }}
@media (prefers-color-scheme: dark) {{ :root {{ --page: #0e1013; --card: #16191e; --line: #2a2f37; --text: #e9ebee;
  --soft: #a3aab4; --accent: #8fb4ff; }} }}
* {{ box-sizing: border-box; }}
body {{ margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 20px; background: var(--page);
  color: var(--text); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", Arial, sans-serif; }}
main {{ width: min(100%, 460px); }}
h1 {{ font-size: 1.7rem; line-height: 1.2; letter-spacing: -.015em; margin: 0 0 8px; }}
p {{ margin: 0 0 20px; color: var(--soft); }}
form {{ display: grid; gap: 10px; }}
button {{ display: grid; gap: 2px; text-align: left; padding: 14px 16px; border: 1px solid var(--line);
  border-radius: 10px; background: var(--card); color: inherit; font: inherit; cursor: pointer; }}
button:hover, button:focus-visible {{ border-color: var(--accent); outline: 2px solid var(--accent); }}
.who {{ display: flex; justify-content: space-between; gap: 12px; font-weight: 600; overflow-wrap: anywhere; }}
.role {{ color: var(--accent); font-weight: 500; }}
.may {{ color: var(--soft); font-size: .9rem; }}
</style>
</head>
<body>
<main>
<h1>Who opens the console?</h1>
<p>On Google Cloud, Identity-Aware Proxy asks people to sign in. Here you choose a user, without a password.</p>
<form method="post" action="{action}">
<input type="hidden" name="back" value="{back}">
{users}
</form>
</main>
</body>
</html>
"""
_USER = """<button name="user" value="{email}"><span class="who">{email} <span class="role">{role}</span></span>
<span class="may">{may}</span></button>"""


def chooser(users: Mapping[str, Role], action: str, back: str) -> str:
    """Return the page: a button for each user, and where to go from there."""
    buttons = [
        _USER.format(email=escape(email), role=escape(role.value), may=escape(_MAY[role]))
        for email, role in users.items()
    ]
    return _PAGE.format(action=escape(action), back=escape(back), users="\n".join(buttons))
