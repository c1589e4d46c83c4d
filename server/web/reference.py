"""Draw the tables of docs/api.md from the code: `python -m server.web.reference docs/api.md` writes them in place."""

import re
import sys
from pathlib import Path

from server.domain.refusals import SENTENCES
from server.people import Role
from server.register import Kind
from server.web.app import openapi
from server.web.auth import RIGHTS, Right
from server.web.problems import PROBLEMS, status_of


def drawn(text: str) -> str:
    """Give the page with its tables (between `<!-- NAME -->` and `<!-- /NAME -->`) as the code has them now."""
    for name, table in (("routes", _routes()), ("errors", _errors())):
        mark = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
        if not mark.search(text):
            raise ValueError(f"the page has no place for {name}")
        text = mark.sub(lambda found, table=table: f"{found[1]}{table}{found[2]}", text)  # type: ignore[misc]
    return text


def _routes() -> str:
    right_of = {endpoint.partition(".")[2]: right for endpoint, right in RIGHTS.items()}
    rows = [
        (path, method.upper(), operation["summary"].rstrip("."), _who(right_of[operation["operationId"]]))
        for path, item in openapi()["paths"].items()
        for method, operation in item.items()
    ]
    lines = ["| call | does | who may |", "|---|---|---|"]
    lines += [f"| `{method} {path.removeprefix('/api/v1')}` | {does} | {who} |" for path, method, does, who in rows]
    return "\n".join(lines) + "\n"


def _who(right: Right) -> str:
    if right.everybody:
        return "everybody"
    if right.roles == frozenset(Role):
        return "every person and device"
    parts = [role.value for role in Role if role in right.roles]
    if right.at_window is Kind.KEYPAD:
        parts += ["the clerk signed in at the window", "the agent of its keypad"]
    elif right.at_window is Kind.RATING:
        parts += ["the agent of its rating pad or keypad", "the tablet enrolled for this window"]
    if right.track:
        parts.append("who holds the track token")
    return ", ".join(parts)


def _errors() -> str:
    rows = [(status_of(code), code.value, zh, en) for code, (zh, en) in SENTENCES.items()]
    rows += [(status, code, zh, en) for code, (status, zh, en) in PROBLEMS.items()]
    lines = ["| status | code | 中文 | English |", "|---|---|---|---|"]
    lines += [f"| {status} | `{code}` | {zh} | {en} |" for status, code, zh, en in sorted(rows)]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    page = Path(sys.argv[1])
    page.write_text(drawn(page.read_text(encoding="utf-8")), encoding="utf-8")
