"""What boards show beside their calls: files of the data folder, strictly those."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.web.stage import HALL, OTHER, Stage

MEDIA = f"/halls/{HALL}/media"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "media" / HALL
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def hall(make_stage: Callable[..., Stage], tmp_path: Path) -> Stage:
    return make_stage(media=tmp_path / "media")


def test_what_lies_in_the_folder_is_shown_by_name_without_a_restart(hall: Stage, folder: Path) -> None:
    board = hall.anybody("display")
    assert board.get(MEDIA).json == {"items": []}
    (folder / "2 欢迎.PNG").write_bytes(b"a picture")
    (folder / "1.mp4").write_bytes(b"a film")
    for name in ("notes.txt", "page.html", "drawing.svg", ".hidden.png", "no-end"):
        (folder / name).write_bytes(b"not shown")
    (folder / "folder.png").mkdir()
    first = board.get(MEDIA).json["items"]  # type: ignore[index]
    assert [(it["name"], it["kind"]) for it in first] == [("1.mp4", "film"), ("2 欢迎.PNG", "picture")]
    (folder / "1.mp4").write_bytes(b"another film")
    second = board.get(MEDIA).json["items"]  # type: ignore[index]
    assert first[0]["version"] != second[0]["version"]
    assert first[1] == second[1]


def test_a_film_is_sent_in_ranges_and_may_be_kept(hall: Stage, folder: Path) -> None:
    (folder / "1.mp4").write_bytes(bytes(range(256)))
    board = hall.anybody("display")
    answer = board.get(f"{MEDIA}/1.mp4", Range="bytes=16-31")
    assert (answer.status_code, answer.data) == (206, bytes(range(16, 32)))
    assert answer.headers["Content-Range"] == "bytes 16-31/256"
    assert answer.content_type == "video/mp4"
    assert "no-store" not in answer.headers["Cache-Control"]
    assert "private" in answer.headers["Cache-Control"]
    answer.close()
    assert board.get(f"{MEDIA}/1.mp4", Range="bytes=999-").status_code == 416


def test_nothing_else_of_the_disk_can_be_had(hall: Stage, folder: Path, tmp_path: Path) -> None:
    (folder / "1.png").write_bytes(b"a picture")
    (folder / "page.html").write_bytes(b"a program")
    (tmp_path / "secret.png").write_bytes(b"not for everybody")
    (tmp_path / "media" / "other.png").write_bytes(b"not of this hall")
    board = hall.anybody("display")
    for name in (
        "page.html",
        "other.png",
        "..",
        ".",
        "..%2Fother.png",
        "%2e%2e%2fother.png",
        "..%5cother.png",
        "1.png%00",
    ):
        assert board.get(f"{MEDIA}/{name}").status_code in (308, 404), name
    assert board.get(f"/halls/{OTHER}/media").status_code == 403
    assert hall.nobody().get(MEDIA).status_code == 401


def test_without_a_folder_there_is_nothing_to_show(hall: Stage) -> None:
    assert hall.anybody("display").get(MEDIA).json == {"items": []}
