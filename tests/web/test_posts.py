"""One clerk works at one window at a time, over all halls of one server."""

from threading import Barrier, Thread

from tests.patience import PATIENCE_S
from tests.web.stage import HALL, OTHER, PASSWORD, Client, Stage

HERE, THERE = f"/halls/{HALL}/windows/1", f"/halls/{OTHER}/windows/1"


def sign_in(stage: Stage, hall: str, **headers: str) -> tuple[int, dict[str, str]]:
    body = {"work_id": "clerk", "password": PASSWORD, "window": "1", "hall": hall}
    answer = stage.nobody().post("/login", body, **headers)
    return answer.status_code, dict(answer.json or {})


def refused(client: Client, path: str, body: object = None, **headers: str) -> tuple[int, str]:
    answer = client.post(path, body, **headers)
    return answer.status_code, str((answer.json or {}).get("code"))


def test_who_works_in_one_hall_signs_in_at_no_window_of_another(stage: Stage) -> None:
    here = stage.person("clerk", window="1", hall=HALL)
    assert here.post(f"{HERE}/open").status_code == 200
    status, told = sign_in(stage, OTHER)
    assert (status, told["code"], told["hall"], told["window"]) == (409, "clerk_elsewhere", HALL, "1")
    assert told["detail"].startswith("clerk is still at window 1 of Test hall.")
    assert "还在“测试大厅”的 1 号窗口" in sign_in(stage, OTHER, Accept_Language="zh")[1]["detail"]
    assert sign_in(stage, HALL)[0] == 200, "another screen of the same post"
    assert here.post(f"{HERE}/close").status_code == 200
    assert sign_in(stage, OTHER)[0] == 200


def test_who_signed_in_twice_opens_one_window_and_is_free_when_it_closes(stage: Stage) -> None:
    here, there = (stage.person("clerk", window="1", hall=hall) for hall in (HALL, OTHER))
    assert here.post(f"{HERE}/open", Idempotency_Key="first").status_code == 200
    assert refused(there, f"{THERE}/open") == (409, "clerk_elsewhere")
    assert stage.person("manager").post(f"{HERE}/close").status_code == 200, "or a manager frees the clerk"
    assert there.post(f"{THERE}/open").status_code == 200
    assert here.post(f"{HERE}/open", Idempotency_Key="first").status_code == 200, "the answer of the first time"
    assert refused(here, f"{HERE}/open") == (409, "clerk_elsewhere")


def test_nobody_takes_over_a_window_while_at_work_in_another_hall(stage: Stage) -> None:
    boss = stage.person("boss")
    assert stage.person("clerk", window="1", hall=HALL).post(f"{HERE}/open").status_code == 200
    assert boss.post(f"{THERE}/open").status_code == 200, "who looks after halls has several windows"
    assert boss.post(f"/halls/{HALL}/windows/2/open").status_code == 200
    assert refused(boss, f"{THERE}/hand-over", {"clerk": "clerk"}) == (409, "clerk_elsewhere")
    assert boss.post(f"{HERE}/hand-over", {"clerk": "clerk2"}).status_code == 403  # not a window of that account
    assert boss.post(f"{HERE}/close").status_code == 200
    assert boss.post(f"{THERE}/hand-over", {"clerk": "clerk"}).status_code == 200


def test_both_halls_at_once_let_one_in_and_nobody_waits_for_ever(stage: Stage) -> None:
    here, there = (stage.person("clerk", window="1", hall=hall) for hall in (HALL, OTHER))
    for _ in range(10):
        answers = at_once((here, f"{HERE}/open"), (there, f"{THERE}/open"))
        assert sorted(answers) == [(200, "None"), (409, "clerk_elsewhere")]
        client, window = (here, HERE) if answers[0][0] == 200 else (there, THERE)
        assert client.post(f"{window}/close").status_code == 200


def at_once(*presses: tuple[Client, str]) -> list[tuple[int, str]]:
    """Give the answers to presses of different people in the same moment."""
    start, answers = Barrier(len(presses)), {}

    def press(number: int) -> None:
        start.wait()
        answers[number] = refused(*presses[number])

    threads = [Thread(target=press, args=(number,), daemon=True) for number in range(len(presses))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=PATIENCE_S)
    return [answers[number] for number in range(len(presses))]
