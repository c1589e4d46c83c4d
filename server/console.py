"""What every command of `jiaohao` says and takes: sentences in the reader's language, options, tables."""

import json
import locale
import os
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import click

FOUND_TROUBLE, BAD_INPUT = 1, 2


def say(zh: str, en: str) -> str:
    """Give a sentence in the reader's language (`--lang`, else the locale)."""
    context = click.get_current_context(silent=True)
    language = (context.find_root().params.get("lang") if context else None) or _language()
    return zh if language == "zh" else en


class Trouble(click.ClickException):
    """Bad arguments or a bad file: a clear last line and exit status 2."""

    exit_code = BAD_INPUT

    def show(self, file: object = None) -> None:
        """Write the line to standard error."""
        del file
        click.echo(f"jiaohao: {self.message}", err=True)


data_option = click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="JIAOHAO_DATA",
    default=Path("var"),
    show_default=True,
    help="Folder for everything a process writes (JIAOHAO_DATA).",
)
LEDGER_HELP = (
    "Where ledgers and accounts are: sqlite:FOLDER (default: the data folder); for several servers "
    "redis://HOST:PORT/DB or redis+sentinel://HOST:PORT,HOST:PORT/SERVICE/DB (JIAOHAO_LEDGER)."
)
ledger_option = click.option("--ledger", envvar="JIAOHAO_LEDGER", default="sqlite:", metavar="URL", help=LEDGER_HELP)
ACCOUNTS_IN = "jiaohao.ledger"  # in the context of a command about accounts: the URL, as it was written
accounts_option = click.option(
    "--ledger",
    envvar="JIAOHAO_LEDGER",
    default="sqlite:",
    metavar="URL",
    help=LEDGER_HELP,
    expose_value=False,
    callback=lambda context, _, url: context.meta.update({ACCOUNTS_IN: url}),
)
format_option = click.option("--format", "format_", type=click.Choice(["table", "json"]), default="table")


def show_table(rows: Sequence[dict[str, object]], format_: str) -> None:
    """Print rows of equal keys, as columns or as JSON."""
    if format_ == "json":
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    if not rows:
        click.echo(say("（空）", "(none)"))
        return
    cells = [list(rows[0])] + [[_cell(value) for value in row.values()] for row in rows]
    widths = [max(columns(row[column]) for row in cells) for column in range(len(cells[0]))]
    for row in cells:
        padded = [cell + " " * (width - columns(cell)) for cell, width in zip(row, widths, strict=True)]
        click.echo("  ".join(padded).rstrip())


def columns(text: str) -> int:
    """Give the width on a terminal: two columns for a wide (Chinese) character."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _cell(value: object) -> str:
    if isinstance(value, tuple):
        return ",".join(str(item) for item in value) or "-"
    return "-" if value is None else str(value)


def _language() -> str:
    named = os.environ.get("JIAOHAO_LANG") or os.environ.get("LC_ALL") or os.environ.get("LANG")
    return "zh" if (named or locale.getlocale()[0] or "").lower().startswith(("zh", "chinese")) else "en"


def token_of(token_file: Path | None, *, role: str) -> str:
    """Give the token of a device or integration from its file, else from the environment."""
    token = os.environ.get("JIAOHAO_TOKEN", "")
    if token_file is not None:
        try:
            token = token_file.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise Trouble(say(f"读不到令牌文件：{error}", f"cannot read the token file: {error}")) from error
    if not token:
        raise Trouble(
            say(
                f"缺少令牌：请用 `jiaohao device enrol 名称 --role {role} --print-token` 取得，放入 JIAOHAO_TOKEN。",
                f"no token: get one with `jiaohao device enrol NAME --role {role} --print-token` "
                "and put it into JIAOHAO_TOKEN",
            )
        )
    return token
