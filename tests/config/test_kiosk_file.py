"""KIOSK.toml: what may stand there, and every error at once with its line."""

from pathlib import Path

import pytest

from config import shipped
from config.kiosk_file import KioskFileError, Printing, check_kiosk, is_kiosk_file, load_kiosk

GOOD = """schema = 1

[kiosk]
id = "cangxi-1"
hall = "cangxi-township"
server = "http://10.0.0.1:8080/"

[printing]
socket = "/run/print.sock"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "kiosk.toml"


def wrong(file: Path, text: str) -> list[tuple[int, str]]:
    """Give [line, code] of every problem; each is said in both languages."""
    file.write_text(text, encoding="utf-8")
    problems = check_kiosk(file)
    assert all(it.zh and it.en and it.file == str(file) for it in problems)
    return [(it.line, it.code) for it in problems]


def test_a_good_file(file: Path) -> None:
    assert wrong(file, GOOD) == []
    read = load_kiosk(file)
    assert (read.id, read.hall, read.server, read.port) == ("cangxi-1", "cangxi-township", "http://10.0.0.1:8080", 8081)
    assert read.printing == Printing(socket=Path("/run/print.sock"))
    assert is_kiosk_file(file)


def test_the_shipped_example_is_good_and_no_hall(root: Path) -> None:
    example = root / "config/kiosk.toml"
    assert check_kiosk(example) == []
    assert load_kiosk(example).hall in {"cangxi-township"} & shipped().keys()
    assert is_kiosk_file(example)
    assert "kiosk" not in shipped()
    assert not any(is_kiosk_file(path) for path in shipped().values())


def test_every_error_is_told_at_once_with_its_line(file: Path) -> None:
    text = GOOD.replace("http://10.0.0.1:8080/", "10.0.0.1").replace('hall = "cangxi-township"', "port = 70000")
    text = text.replace("schema = 1", "schema = 2").replace("socket", "sockt")
    assert wrong(file, text) == [
        (1, "schema_unknown"),
        (3, "missing"),
        (5, "bad_value"),
        (6, "bad_value"),
        (8, "missing"),
        (9, "unknown_key"),
    ]
    assert [it.suggestion for it in check_kiosk(file)][-1] == '"socket"'
    with pytest.raises(KioskFileError) as error:
        load_kiosk(file)
    assert len(error.value.problems) == 6


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("http://10.0.0.1:8080/", "http://10.0.0.1:8080/api"),
        ("http://10.0.0.1:8080/", "ftp://10.0.0.1"),
        ("http://10.0.0.1:8080/", "http://user@10.0.0.1"),
        ("http://10.0.0.1:8080/", "http://10.0.0.1:99999"),
        ('"cangxi-1"', '""'),
        ('"cangxi-1"', "1"),
        ("/run/print.sock", "print.sock"),
        ("/run/print.sock", "run/print.sock"),
    ],
)
def test_a_value_that_cannot_be_is_refused(file: Path, old: str, new: str) -> None:
    assert [code for _, code in wrong(file, GOOD.replace(old, new))] == ["bad_value"]


def test_files_that_are_none(file: Path) -> None:
    assert wrong(file, "schema = 1\nkiosk = 3\n") == [(2, "not_a_table")]
    assert [code for _, code in wrong(file, "schema = \n")] != []
    assert [code for _, code in wrong(file, "")] == ["missing", "missing"]
    assert [it.code for it in check_kiosk(file.with_name("none.toml"))] == ["file_missing"]
    assert not is_kiosk_file(file.with_name("none.toml"))
