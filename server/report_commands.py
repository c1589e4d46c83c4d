"""`jiaohao report`: a day, a week, a month or some days of a hall for people, spreadsheets and machines."""

import json
import sys
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import click

from server.console import BAD_INPUT, FOUND_TROUBLE, Trouble, data_option, say, token_of


@click.group()
def report() -> None:
    """Statistics: a business day, a week, any days, or attendance and work of a month.

    Example: jiaohao report month --month 2026-03 --format xlsx --output march.xlsx
    """


def _report_options(command: "Callable[..., None]") -> "Callable[..., None]":
    """Give a report command the options that all share."""
    options = (
        click.option("--hall", help="Id of the hall, where there are several."),
        click.option(
            "--format",
            "format_",
            type=click.Choice(["table", "csv", "xlsx", "json"]),
            default="table",
            show_default=True,
            help="For people, spreadsheets or machines.",
        ),
        click.option(
            "--output",
            type=click.Path(path_type=Path, dir_okay=False),
            help="Write to this file (xlsx: HALL-WHEN.xlsx in this folder without it).",
        ),
        click.option("--server", "server_url", metavar="URL", help="Ask this server instead of reading its ledger."),
        click.option(
            "--token-file",
            type=click.Path(path_type=Path, dir_okay=False),
            help="File with an integration's token for --server (or JIAOHAO_TOKEN).",
        ),
        data_option,
    )
    for option in reversed(options):
        command = option(command)
    return command


@report.command("day")
@click.option("--date", "day", metavar="YYYY-MM-DD", default="", help="The business day; otherwise the last one.")
@_report_options
def report_day(day: str, **how: Any) -> None:
    """Show a business day: the hall, its zones, services, windows and clerks.

    Reads the ledger in the data folder, also while its server runs; a server elsewhere is asked with --server.

    Example: jiaohao report day --date 2026-03-02 --data /var/lib/jiaohao
    """
    if day and not _is_date(day):
        raise Trouble(say(f"没有 {day} 这一天，请写成 2026-03-02", f"{day} is no date: write it as 2026-03-02"))
    _report(day=day, **how)


@report.command("month")
@click.option("--month", metavar="YYYY-MM", default="", help="The month; otherwise that of the last business day.")
@_report_options
def report_month(month: str, **how: Any) -> None:
    """Show attendance and work of a month: by clerk, window, department, service and tenant.

    Reads the ledger in the data folder, also while its server runs; a server elsewhere is asked with --server.

    Example: jiaohao report month --month 2026-03 --format xlsx --output march.xlsx
    """
    if month and not _is_date(f"{month}-01"):
        raise Trouble(say(f"没有 {month} 这个月，请写成 2026-03", f"{month} is no month: write it as 2026-03"))
    _report(month=month, **how)


@report.command("week")
@click.option("--date", "day", metavar="YYYY-MM-DD", default="", help="Any day of the week; otherwise the last one.")
@_report_options
def report_week(day: str, **how: Any) -> None:
    """Show a week from Monday to Sunday: by day, hour, zone, service, department, window and clerk.

    Reads the ledger in the data folder, also while its server runs; a server elsewhere is asked with --server.

    Example: jiaohao report week --date 2026-03-04 --format xlsx --output week.xlsx
    """
    if day and not _is_date(day):
        raise Trouble(say(f"没有 {day} 这一天，请写成 2026-03-02", f"{day} is no date: write it as 2026-03-02"))
    _report(week=day, **how)


@report.command("period")
@click.option("--from", "first", metavar="YYYY-MM-DD", required=True, help="The first business day.")
@click.option("--to", "last", metavar="YYYY-MM-DD", required=True, help="The last one; at most 92 days at once.")
@_report_options
def report_period(first: str, last: str, **how: Any) -> None:
    """Show any business days, up to a quarter of a year, as `week` does.

    Example: jiaohao report period --from 2026-01-01 --to 2026-03-31 --format csv --output quarter.csv
    """
    from server.projections.period import DAYS_MAX

    for day in (first, last):
        if not _is_date(day):
            raise Trouble(say(f"没有 {day} 这一天，请写成 2026-03-02", f"{day} is no date: write it as 2026-03-02"))
    if last < first:
        raise Trouble(
            say(f"结束日期 {last} 早于开始日期 {first}", f"the last day {last} is before the first day {first}")
        )
    if date.fromisoformat(last) - date.fromisoformat(first) >= timedelta(days=DAYS_MAX):
        raise Trouble(say(f"一次最多 {DAYS_MAX} 天", f"at most {DAYS_MAX} days at once"))
    _report(span=(first, last), **how)


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _report(
    *,
    day: str | None = None,
    week: str | None = None,
    month: str | None = None,
    span: tuple[str, str] | None = None,
    hall: str | None,
    format_: str,
    output: Path | None,
    server_url: str | None,
    token_file: Path | None,
    data: Path,
) -> None:
    from server.reporting import ReportError, Span, of_ledger, of_server
    from server.tables import as_csv, as_text, tables, workbook

    language = say("zh", "en")
    days = None if span is None else Span(first=span[0], last=span[1])
    try:
        if server_url is None:
            found = of_ledger(data, hall, day=day, week=week, month=month, span=days)
        else:
            token = token_of(token_file, role="integration")
            found = of_server(server_url, token, hall, day=day, week=week, month=month, span=days)
        if format_ == "json":
            text = json.dumps(found.answer, ensure_ascii=False, indent=2) + "\n"
        elif format_ == "csv":
            text = as_csv(tables(found, language))
        elif format_ == "xlsx":
            output = output or Path(f"{found.hall}-{found.when}.xlsx")
            output.write_bytes(workbook(tables(found, language)))
            click.echo(say(f"已写入 {output}", f"wrote {output}"), err=True)
            return
        else:
            text = f"{found.hall} · {found.when}\n\n{as_text(tables(found, language))}\n"
        if output is None:
            click.echo(text, nl=False)
        else:  # with its mark, so that spreadsheets take it for what it is
            output.write_text(text, encoding="utf-8-sig" if format_ == "csv" else "utf-8", newline="")
            click.echo(say(f"已写入 {output}", f"wrote {output}"), err=True)
    except ReportError as error:
        click.echo(f"jiaohao: {say(error.zh, error.en)}", err=True)
        sys.exit(BAD_INPUT if error.bad_input else FOUND_TROUBLE)
    except OSError as error:
        raise Trouble(say(f"不能写入文件：{error}", f"cannot write the file: {error}")) from error
