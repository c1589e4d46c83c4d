"""From hall files to `HallFile`, or to every problem in them at once.

A file is read in four steps: bytes to text (encoding), text to tables (TOML), tables to models (`config.schema`), and
what the tables say about each other (`config.rules`). A broken line is left out and the rest is read on, so that one
slip does not hide the others; then only problems are told which the missing line cannot have caused.
A logo that the file names is read with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from config.explain import model_of
from config.logo import read_logo
from config.positions import WHOLE_FILE, Spot, spot_of
from config.problems import Finding, Problem, dotted, quoted
from config.rules import Draft, broken_rules, word
from config.schema import HallFile
from config.text import FILE_BYTES_MAX, plain, tables_of, text_of, too_large

NOT_HALLS = frozenset({"kiosk"})
"""What lies beside the halls and is none: an example of another file."""


class HallFileError(ValueError):
    """The hall file is not usable; `problems` says everything that is wrong with it."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        """Keep the problems, never empty."""
        self.problems = problems
        super().__init__("\n".join(f"{each.file}:{each.line}: {each.sentence('en')}" for each in problems))


def load_hall(path: Path | str) -> HallFile:
    """Give the hall that a file describes.

    Raises:
        HallFileError: with every problem of the file; nothing is loaded.
    """
    return load_written(path)[0]


def load_written(path: Path | str) -> tuple[HallFile, str]:
    """Give the hall that a file describes, and the text of the file.

    Raises:
        HallFileError: with every problem of the file; nothing is loaded.
    """
    reading = _read(Path(path))
    if reading.hall is None:
        raise HallFileError(reading.problems)
    return reading.hall, reading.text


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a hall file gave: a hall and no problems, or problems and no hall."""

    hall: HallFile | None = None
    problems: tuple[Problem, ...] = ()


def read_hall(text: str, beside: Path) -> Reading:
    """Give the hall that a text describes, written in the place of the file `beside`, or every problem in it.

    Whoever writes the text need not have this computer: pictures that it names are looked for in the file's folder and
    nowhere else.
    """
    if len(text.encode()) > FILE_BYTES_MAX:
        return Reading(problems=(_problem(beside, WHOLE_FILE, too_large()),))
    reading = _read_text(plain(text), beside, anywhere=False)
    return Reading(hall=reading.hall, problems=reading.problems)


def check(paths: Iterable[Path | str]) -> list[Problem]:
    """Give every problem of every file, file by file, from top to bottom; empty when all may be served together."""
    problems: list[Problem] = []
    halls: dict[str, Path] = {}
    for path in dict.fromkeys(Path(each) for each in paths):
        reading = _read(path)
        problems += reading.problems
        if reading.hall_id and (other := halls.setdefault(reading.hall_id, path)) != path:
            again = Finding(
                path=("hall", "id"),
                code="duplicate_hall",
                zh=f"大厅代号 {quoted(reading.hall_id)} 已用于 {other}；每个大厅要有自己的代号。",
                en=f"Hall {quoted(reading.hall_id)} is in {other} already; every hall needs an id of its own.",
            )
            problems.append(_problem(path, reading.hall_id_spot, again))
    return problems


def shipped() -> dict[str, Path]:
    """Give the hall files that come with the product, by name: {"demo": .../config/demo.toml, ...}."""
    return {path.stem: path for path in sorted(Path(__file__).parent.glob("*.toml")) if path.stem not in NOT_HALLS}


def find(name_or_path: Path | str) -> Path:
    """Give the file meant: an existing file, else a shipped hall by name ("demo"), else the path as it is."""
    path = Path(name_or_path)
    return path if path.is_file() else shipped().get(str(name_or_path), path)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """What one file gave: a hall and no problems, or problems and no hall."""

    hall: HallFile | None = None
    text: str = ""
    problems: tuple[Problem, ...] = ()
    hall_id: str | None = None
    hall_id_spot: Spot = WHOLE_FILE


def _read(path: Path) -> _Reading:
    text, unreadable = text_of(path, shipped())
    if unreadable is not None:
        return _Reading(problems=(_problem(path, *unreadable),))
    return _read_text(text, path, anywhere=True)


def _read_text(text: str, path: Path, *, anywhere: bool) -> _Reading:
    data, spots, broken = tables_of(text)
    problems = [_problem(path, *each) for each in broken]
    if data is None:
        return _Reading(problems=tuple(problems))
    if misfit := _misfit(data, broken=bool(broken)):
        return _Reading(problems=(*problems, _problem(path, WHOLE_FILE, misfit)))
    draft = Draft(data, spots)
    hall, findings = model_of(data)
    findings += broken_rules(draft)
    if (name := word(draft.table("ticket"), "logo")) is not None:
        picture, wrong = read_logo(path.parent / name, inside=None if anywhere else path.parent)
        findings += [] if wrong is None else [wrong]
        if hall is not None:  # from here on the picture itself
            hall = hall.model_copy(update={"ticket": hall.ticket.model_copy(update={"logo": picture})})
    problems += [_problem(path, spot_of(spots, each.path), each) for each in findings if each.lone or not broken]
    problems.sort(key=lambda problem: (problem.line, problem.column))
    return _Reading(
        hall=None if problems else hall,
        text=text,
        problems=tuple(problems),
        hall_id=word(draft.table("hall"), "id"),
        hall_id_spot=spot_of(spots, ("hall", "id")),
    )


def _problem(path: Path, spot: Spot, found: Finding) -> Problem:
    return Problem(
        file=str(path),
        line=spot.line,
        column=spot.column,
        path=dotted(found.path),
        code=found.code,
        zh=found.zh,
        en=found.en,
        suggestion=found.suggestion,
    )


def _misfit(data: Mapping[str, object], *, broken: bool) -> Finding | None:
    """Say so when the file is empty or is another of our files."""
    if not data and not broken:
        return Finding(path=(), code="file_empty", zh="文件是空的。", en="The file is empty.")
    if isinstance(data.get("device"), list) and not isinstance(data.get("hall"), dict):
        return Finding(
            path=(),
            code="not_a_hall_file",
            zh="这是设备文件（[[device]]），不是大厅文件。",
            en="This is a devices file ([[device]]), not a hall file.",
        )
    return None
