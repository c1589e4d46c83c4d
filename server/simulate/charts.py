"""Charts of what came out, as PNG, SVG or one HTML page that needs nothing else.

Four pictures: the mean wait of each variant with its range, the wait by the time of coming, how many people wait in
each zone through the day, and how busy each window is. Drawn with matplotlib, which a hall installs only if it wants
charts (`pip install 'jiaohao[charts]'`).
"""

import io
import math
import warnings
from collections.abc import Sequence
from html import escape
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from server.console import say
from server.domain.terms import HallPlan
from server.simulate.show import Row, Table, legend, name_of, tables, zone_name
from server.simulate.visits import MIN, QUARTER

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

SUFFIXES = (".png", ".svg", ".html")
VARIANTS_MAX = 8  # colours that can be told apart
HEATS_MAX = 4
COLOURS = ("#4d5358", "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6d31")  # Okabe and Ito
CHINESE = ("Noto Sans CJK SC", "Source Han Sans SC", "PingFang SC", "Microsoft YaHei", "WenQuanYi Micro Hei", "SimHei")
"""Fonts with Chinese letters, the first that is installed is taken."""
DPI = 150
SEEN = 0.02  # of the most people: paler cells cannot be told from empty ones


def is_missing() -> bool:
    """Say whether what draws is not installed."""
    return find_spec("matplotlib") is None


def write(path: Path, plan: HallPlan, rows: Sequence[Row], subtitle: str) -> None:
    """Write the charts of some variants, in the format of the file's name.

    Raises:
        OSError: the file cannot be written.
    """
    kept = rows[:VARIANTS_MAX]
    if path.suffix == ".html":
        path.write_text(_page(plan, rows, kept, subtitle), encoding="utf-8")
        return
    with path.open("wb") as file:
        file.write(_picture(plan, kept, f"{name_of(plan.name)}\n{subtitle}", path.suffix.removeprefix(".")))


def _picture(plan: HallPlan, rows: Sequence[Row], title: str, format_: str) -> bytes:
    import matplotlib as mpl

    with (
        mpl.rc_context(
            {
                "font.family": [*_fonts(), "DejaVu Sans"],
                "svg.fonttype": "none",  # letters stay letters: they can be read, searched and enlarged
                "svg.hashsalt": plan.hall,  # same seed, same file
                "axes.spines.top": False,
                "axes.spines.right": False,
                "axes.titlelocation": "left",
                "axes.titleweight": "bold",
                "axes.titlesize": 11,
                "font.size": 9,
            }
        ),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore", UserWarning)  # a letter without a font: told once, in the docs
        figure = _figure(plan, rows, title)
        file = io.BytesIO()
        stamp = {"Date": None} if format_ == "svg" else {"Software": None}
        figure.savefig(file, format=format_, dpi=DPI, metadata=stamp)
    return file.getvalue()


def _fonts() -> list[str]:
    from matplotlib import font_manager

    there = {font.name for font in font_manager.fontManager.ttflist}
    return [name for name in CHINESE if name in there][:1]


def _figure(plan: HallPlan, rows: Sequence[Row], title: str) -> "Figure":
    from matplotlib.figure import Figure

    heats = [row for row in rows if not row.is_real][:HEATS_MAX]
    zones = [it for it in plan.queues if any(row.measures.queue.get(it.id) for row in heats)]
    rows_of_heats = math.ceil(len(heats) / 2)
    height = 1.4 + 0.34 * len(rows) + 3.0 + rows_of_heats * (0.9 + 0.24 * len(zones))
    figure = Figure(figsize=(11.5, height + 1.2), layout="constrained")
    if title:
        figure.suptitle(title, x=0.01, ha="left", fontsize=13, fontweight="bold")
    parts = figure.add_gridspec(
        2 + rows_of_heats,
        2,
        height_ratios=[1.0 + 0.34 * len(rows), 3.0, *[0.9 + 0.24 * len(zones)] * rows_of_heats],
    )
    _means(figure.add_subplot(parts[0, 0]), rows)
    _busy(figure.add_subplot(parts[0, 1]), rows)
    _by_time(figure.add_subplot(parts[1, :]), rows)
    most = max((people for row in heats for each in row.measures.queue.values() for people in each.values()), default=1)
    for place, row in enumerate(heats):
        axes = figure.add_subplot(parts[2 + place // 2, place % 2])
        shown = _heat(axes, plan, row, max(1.0, most), _span(heats), labels=place % 2 == 0)
        if shown is not None and place == len(heats) - 1:
            figure.colorbar(shown, ax=axes, fraction=0.04, pad=0.02)
    return figure


def _means(axes: "Axes", rows: Sequence[Row]) -> None:
    axes.set_title(say("平均等候（分钟，95 % 区间）", "Mean wait (minutes, 95 % range)"))
    for place, row in enumerate(rows):
        it, colour = row.mean, COLOURS[place]
        if not math.isnan(it.low):
            axes.plot([it.low, it.high], [place, place], color=colour, linewidth=3, alpha=0.45, solid_capstyle="butt")
        axes.plot([it.value], [place], "D" if row.is_real else "o", color=colour, markersize=7)
        against = f" ({row.against.value:+.1f})" if row.against is not None else ""
        axes.annotate(
            f"{it.value:.1f}{against}",
            (it.value, place),
            textcoords="offset points",
            xytext=(0, 8),
            ha="center",
            color=colour,
        )
    axes.set_yticks(range(len(rows)), [row.name for row in rows])
    axes.set_ylim(len(rows) - 0.4, -0.8)
    axes.set_xlim(left=0)
    axes.grid(axis="x", alpha=0.25)


def _busy(axes: "Axes", rows: Sequence[Row]) -> None:
    axes.set_title(say("各窗口利用率（每点一个窗口）", "How busy each window is (a dot is a window)"))
    for place, row in enumerate(rows):
        used = [(it.utilisation * 100, it.window) for it in row.measures.windows if not math.isnan(it.utilisation)]
        axes.scatter([share for share, _ in used], [place] * len(used), s=26, color=COLOURS[place], alpha=0.45, lw=0)
        for (share, no), side in ((min(used, default=(0, "")), -1), (max(used, default=(0, "")), 1)):
            axes.annotate(
                no,
                (share, place),
                textcoords="offset points",
                xytext=(6 * side, 0),
                ha="left" if side > 0 else "right",
                va="center",
                fontsize=8,
            )
    axes.set_yticks(range(len(rows)), [""] * len(rows))
    axes.set_ylim(len(rows) - 0.4, -0.8)
    axes.set_xlim(0, 108)
    axes.xaxis.set_major_formatter("{x:.0f} %")
    axes.grid(axis="x", alpha=0.25)


def _by_time(axes: "Axes", rows: Sequence[Row]) -> None:
    axes.set_title(say("按到达时间的平均等候（分钟）", "Mean wait by the time of coming (minutes)"))
    for place, row in enumerate(rows):
        waits = row.measures.by_arrival
        quarters = range(min(waits, default=0), max(waits, default=0) + 1, QUARTER)
        axes.plot(
            [(quarter + QUARTER / 2) / (60 * MIN) for quarter in quarters],
            [waits.get(quarter, math.nan) for quarter in quarters],  # no line through a break
            color=COLOURS[place],
            linewidth=1.8,
            linestyle="--" if row.is_real else "-",
            label=row.name,
        )
    axes.set_ylim(bottom=0)
    _clock(axes)
    axes.grid(alpha=0.25)
    if len(rows) > 1:
        axes.legend(frameon=False, ncols=4, loc="lower right", bbox_to_anchor=(1.0, 0.98))


def _span(rows: Sequence[Row]) -> range:
    """Give the quarters of an hour in which anybody waits, the same for all."""
    queues = [each for row in rows for each in row.measures.queue.values()]
    most = max((people for each in queues for people in each.values()), default=0.0)
    quarters = [quarter for each in queues for quarter, people in each.items() if people > SEEN * most]
    return range(min(quarters), max(quarters) + QUARTER, QUARTER) if quarters else range(0)


def _heat(axes: "Axes", plan: HallPlan, row: Row, most: float, span: range, *, labels: bool) -> "AxesImage | None":
    title = say("等候人数", "People waiting")
    axes.set_title(f"{title}: {row.name}")
    zones = [it.id for it in plan.queues if row.measures.queue.get(it.id)]
    if not zones:
        return None
    cells = [[row.measures.queue[zone].get(quarter, 0.0) for quarter in span] for zone in zones]
    hours = (span[0] / (60 * MIN), (span[-1] + QUARTER) / (60 * MIN))
    shown = axes.imshow(
        cells,
        aspect="auto",
        cmap="YlOrRd",
        vmin=0,
        vmax=most,
        interpolation="nearest",
        extent=(hours[0], hours[1], len(zones) - 0.5, -0.5),
    )
    axes.set_yticks(range(len(zones)), [zone_name(plan, zone) for zone in zones] if labels else [""] * len(zones))
    _clock(axes, 2)
    return shown


def _clock(axes: "Axes", step: int = 1) -> None:
    """Write the hours of a day below."""
    from matplotlib.ticker import FuncFormatter, MultipleLocator

    axes.xaxis.set_major_locator(MultipleLocator(step))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda hour, _: f"{int(hour)}:00"))


def _page(plan: HallPlan, rows: Sequence[Row], kept: Sequence[Row], subtitle: str) -> str:
    picture = _picture(plan, kept, "", "svg").decode()
    svg = picture[picture.index("<svg") :]
    title = f"{name_of(plan.name)} · {subtitle}"
    language = say("zh-CN", "en")
    return f"""<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>
body {{ font-family: system-ui, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif; margin: 2rem auto;
  max-width: 84rem; padding: 0 1rem; color: #1b1f23; background: #fff; }}
h1 {{ font-size: 1.4rem; }}
figure {{ margin: 0 0 2rem; }}
svg {{ width: 100%; height: auto; }}
svg text {{ font-family: inherit !important; }}
.wide {{ overflow-x: auto; }}
figure {{ max-width: 72rem; }}
table {{ border-collapse: collapse; font-size: .9rem; margin: 0 0 2rem; }}
caption {{ text-align: left; font-weight: 600; padding: .4rem 0; }}
th, td {{ padding: .35rem .6rem; border-bottom: 1px solid #cfd9e3; text-align: right; white-space: nowrap; }}
th:first-child {{ text-align: left; }}
thead th {{ vertical-align: bottom; color: #455668; }}
tbody th {{ font-weight: 400; }}
td {{ font-variant-numeric: tabular-nums; }}
p {{ max-width: 46rem; color: #455668; line-height: 1.6; }}
</style>
</head>
<body>
<h1>{escape(title)}</h1>
<figure role="img" aria-label="{escape(say("图表；下表是同样的数字", "charts; the table below has the same figures"))}">
{svg}
</figure>
{"".join(_table(it) for it in tables(plan, rows))}
<p>{escape(legend().replace(chr(10), say("", " ")))}</p>
</body>
</html>
"""


def _table(it: Table) -> str:
    head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in it.head)
    rows = "".join(
        f'<tr><th scope="row">{escape(row[0])}</th>' + "".join(f"<td>{escape(cell)}</td>" for cell in row[1:]) + "</tr>"
        for row in it.cells
    )
    return f"""<div class="wide"><table>
<caption>{escape(it.title)}</caption>
<thead><tr>{head}</tr></thead>
<tbody>{rows}</tbody>
</table></div>
"""
