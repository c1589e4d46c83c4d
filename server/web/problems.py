"""Errors as the reader gets them: `application/problem+json` (RFC 9457) with a stable code and a whole sentence.

The hall's own refusals have their table in `server.domain.refusals`; here are the others.
"""

import json
import logging
import sqlite3
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from math import ceil

from flask import Flask, Response, request
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from werkzeug.exceptions import HTTPException

from server.domain.refusals import Code, Refusal
from server.hall import KeyReused
from server.ledger.base import ArchiveMissing, DiskFull, LedgerBroken, LedgerDoubtful, LedgerDown, LedgerUnknown

log = logging.getLogger(__name__)

PROBLEMS: Mapping[str, tuple[int, str, str]] = {
    "bad_request": (400, "请求有误：{what}。", "The request cannot be read: {what}."),
    "wrong_host": (
        400,
        "服务器不以“{host}”为名，请使用配置的地址访问。",
        "This server is not called {host}. Use its own address.",
    ),
    "not_signed_in": (401, "请先登录。", "Please sign in first."),
    "sign_in_failed": (401, "工号或密码不正确。", "Work id and password do not belong together."),
    "code_unknown": (401, "登记码不正确、已使用或已过期。", "The code is wrong, used already or too old."),
    "not_allowed": (403, "您没有权限进行此操作。", "You are not allowed to do this."),
    "csrf": (403, "页面已过期，请刷新后重试。", "The page is out of date. Reload it and try again."),
    "not_found": (404, "没有这个地址。", "There is nothing at this address."),
    "hall_not_found": (404, "没有大厅“{hall}”。", "There is no hall {hall}."),
    "day_not_found": (404, "{day} 没有营业记录。", "There was no business day {day}."),
    "version_not_found": (
        404,
        "没有第 {version} 版设置，或已太旧。",
        "There is no version {version} of the settings (any more).",
    ),
    "account_not_found": (
        404,
        "没有工号“{clerk}”的账号，或账号已停用。",
        "There is no open account {clerk}.",
    ),
    "method_not_allowed": (405, "此地址不支持这种请求方式。", "This address does not take this method."),
    "replay_preparing": (
        409,
        "{day} 的回放还在准备，请稍后再试。",
        "The replay of {day} is still being prepared. Try again soon.",
    ),
    "nobody_at_window": (
        409,
        "没有人在窗口 {window} 登录，请窗口人员先登录。",
        "Nobody is signed in at window {window}. The clerk must sign in first.",
    ),
    "card_gone": (
        409,
        "证件已移开，请重新放置身份证，或不刷证件直接取号。",
        "The card is not known any more. Lay it on the reader again, or go on without it.",
    ),
    "not_a_code": (
        409,
        "这不是本大厅今天的号票或预约码，请到导办台咨询。",
        "This code is no ticket and no booking of this hall today. Please ask at the guide desk.",
    ),
    "not_online": (
        409,
        "本大厅没有开通网上自助预约，请到现场取号，或请工作人员代为预约。",
        "This hall takes no bookings over the network. Please come and take a number, or ask the staff to book.",
    ),
    "identity_number_wrong": (
        422,
        "身份证号不正确，请核对 18 位号码（末位可为 X）。",
        "This is not an identity number. Check its 18 places; the last one may be X.",
    ),
    "phone_number_wrong": (
        422,
        "手机号不正确，请核对 11 位号码。",
        "This is not a mobile number. Check its 11 digits.",
    ),
    "hall_missing": (422, "请写明大厅（hall）。", "Name the hall: this server has several."),
    "window_not_yours": (403, "您不能在窗口 {window} 登录。", "You may not sign in at window {window}."),
    "window_not_for": (
        403,
        "{clerk} 不能在窗口 {window} 办公，请换一位，或由管理员修改其账号的窗口。",
        "{clerk} may not work at window {window}. Choose somebody else, or let an admin change the account.",
    ),
    "addresses_by_admin": (
        403,
        "只有系统管理员（admin）可以更改 [hall] public_url 和 [notify] url。",
        "Only an admin may change public_url in [hall] and url in [notify].",
    ),
    "register_full": (409, "设备登记已满。", "The register of devices is full."),
    "too_large": (413, "请求内容太大，最多 {limit} 字节。", "The request is too large: at most {limit} bytes."),
    "not_json": (
        415,
        "请求内容必须是 JSON（Content-Type: application/json）。",
        "Send JSON (Content-Type: application/json).",
    ),
    "invalid": (422, "{what}。", "{what}."),
    "settings_wrong": (
        422,
        "第 {line} 行：{what}设置共有 {count} 处错误，没有应用。",
        "Line {line}: {what} {count} mistake(s) in all; nothing of these settings was applied.",
    ),
    "key_reused": (
        422,
        "这个 Idempotency-Key 今天已用于另一个请求。",
        "This Idempotency-Key was used for another request today.",
    ),
    "too_many": (429, "操作太频繁，请在 {seconds} 秒后再试。", "Too many requests. Try again in {seconds} s."),
    "internal_error": (500, "服务器内部错误，已记录。", "The server made a mistake. It has been logged."),
    "ledger_unavailable": (
        503,
        "暂时无法记录，请稍后再试；没有发生任何变化。",
        "Nothing can be recorded now, and nothing was changed. Try again soon.",
    ),
    "archive_missing": (
        503,
        "这段时间的记录在归档文件里，文件不在原处，请管理员放回；今天的业务不受影响。",
        "The records of that time lie in an archive that is not in its place. Put it back; today is not affected.",
    ),
    "ledger_damaged": (
        503,
        "要读的记录已损坏，没有显示。请管理员运行 jiaohao ledger verify，并从备份恢复。",
        "What was asked for is damaged and is not shown. Run jiaohao ledger verify, and restore a backup.",
    ),
    "outcome_unknown": (
        503,
        "暂时不知道是否已经记录，请用同一个 Idempotency-Key 再试一次；不会重复。",
        "Perhaps this was recorded, perhaps not. Repeat it with the same Idempotency-Key: nothing is done twice.",
    ),
    "pages_missing": (503, "页面尚未生成，请运行 make run。", "The pages are not built yet: `make run` builds them."),
}

# pydantic's kinds of error in words: zh, en. `{...}` are filled from the error's own context.
SENTENCES: Mapping[str, tuple[str, str]] = {
    "missing": ("缺少“{field}”", "{field} is missing"),
    "extra_forbidden": ("没有“{field}”这个字段", "there is no field {field}"),
    "string_type": ("“{field}”必须是文字", "{field} must be text"),
    "string_too_short": ("“{field}”至少 {min_length} 个字符", "{field} must have at least {min_length} character(s)"),
    "string_too_long": ("“{field}”最多 {max_length} 个字符", "{field} must have at most {max_length} characters"),
    "string_pattern_mismatch": ("“{field}”的格式不对，应如 {pattern}", "{field} must look like {pattern}"),
    "not_in_calendar": (
        "“{field}”写的 {day} 在日历上没有，请改成真实的日期，如 2026-05-01 或 2026-05",
        "{field} says {day}, which the calendar does not have: write a real date, like 2026-05-01 or 2026-05",
    ),
    "days_reversed": (
        "结束日期 {last} 早于开始日期 {first}，请对调或改正",
        "the last day {last} is before the first day {first}: swap or correct them",
    ),
    "control_character": ("“{field}”不能含有控制字符", "{field} must not contain control characters"),
    "enum": ("“{field}”只能是 {expected}", "{field} must be {expected}"),
    "literal_error": ("“{field}”只能是 {expected}", "{field} must be {expected}"),
    "int_type": ("“{field}”必须是整数", "{field} must be a whole number"),
    "int_parsing": ("“{field}”必须是整数", "{field} must be a whole number"),
    "int_from_float": ("“{field}”必须是整数", "{field} must be a whole number"),
    "greater_than_equal": ("“{field}”不能小于 {ge}", "{field} must be at least {ge}"),
    "less_than_equal": ("“{field}”不能大于 {le}", "{field} must be at most {le}"),
    "less_than": ("“{field}”必须小于 {lt}", "{field} must be below {lt}"),
    "bool_type": ("“{field}”必须是 true 或 false", "{field} must be true or false"),
    "bool_parsing": ("“{field}”必须是 true 或 false", "{field} must be true or false"),
    "list_type": ("“{field}”必须是列表", "{field} must be a list"),
    "too_short": ("“{field}”至少 {min_length} 项", "{field} must have at least {min_length} entries"),
    "too_long": ("“{field}”最多 {max_length} 项", "{field} must have at most {max_length} entries"),
    "model_type": ("“{field}”必须是 JSON 对象", "{field} must be a JSON object"),
    "dict_type": ("“{field}”必须是 JSON 对象", "{field} must be a JSON object"),
}

DISK_FULL = (  # what `ledger_unavailable` says then
    "存储空间已满，暂时不能取号，请联系大厅工作人员；没有发生任何变化。",
    "The disk of the server is full, so no numbers can be given out now. Please ask the staff. Nothing was changed.",
)


class Problem(Exception):
    """The request is answered by an error. `words` fill the sentence."""

    def __init__(self, code: str, *, headers: Mapping[str, str] | None = None, **words: object) -> None:
        self.code, self.headers, self.words = code, dict(headers or {}), words
        self.status = PROBLEMS[code][0]
        super().__init__(self.sentence("en"))

    def sentence(self, language: str) -> str:
        """Give the sentence in a language (zh, otherwise en)."""
        _, zh, en = PROBLEMS[self.code]
        words = {name: word[language] if isinstance(word, dict) else word for name, word in self.words.items()}
        return (zh if language == "zh" else en).format(**words)


def too_many(seconds: float) -> Problem:
    """Give the answer to somebody who asks too often."""
    whole = max(1, ceil(seconds))
    return Problem("too_many", seconds=whole, headers={"Retry-After": str(whole)})


def bad_request(zh: str, en: str) -> Problem:
    """Give the answer to a request that cannot be read; both say what is wrong with it."""
    return Problem("bad_request", what={"zh": zh, "en": en})


def status_of(code: Code) -> int:
    """Give the HTTP status of a refusal."""
    return 404 if code.value.endswith("_not_found") else 409


def language() -> str:
    """Give the reader's language: zh or en, from Accept-Language; Chinese when it says nothing."""
    return request.accept_languages.best_match(["zh", "en"], default="zh") or "zh"


def refuse_invalid(error: ValidationError) -> Response:
    """Turn what pydantic found into a problem; named for flask-openapi3, which calls it.

    Raises:
        Problem: always.
    """
    raise invalid(error)


def invalid(error: ValidationError) -> Problem:
    """Give what pydantic found as a problem: 400 for days that cannot be, 422 for what does not have the right form."""
    faults = error.errors(include_url=False, include_input=False)
    code = "bad_request" if all(fault["type"] in IMPOSSIBLE for fault in faults) else "invalid"
    return Problem(code, what={"zh": _sentences(faults, 0, "；"), "en": _sentences(faults, 1, "; ")})


def install(app: Flask) -> None:
    """Make every error of the app a problem."""
    app.register_error_handler(Problem, _problem)
    app.register_error_handler(Refusal, _refusal)
    app.register_error_handler(KeyReused, lambda _: _problem(Problem("key_reused")))
    app.register_error_handler(
        LedgerDown, lambda _: _problem(Problem("ledger_unavailable", headers={"Retry-After": "2"}))
    )
    app.register_error_handler(
        LedgerUnknown, lambda _: _problem(Problem("outcome_unknown", headers={"Retry-After": "1"}))
    )
    app.register_error_handler(DiskFull, _disk_full)
    app.register_error_handler(ArchiveMissing, lambda _: _problem(Problem("archive_missing")))
    app.register_error_handler(LedgerBroken, _damaged)
    app.register_error_handler(
        LedgerDoubtful, lambda _: _problem(Problem("ledger_unavailable", headers={"Retry-After": "5"}))
    )
    app.register_error_handler(  # the accounts cannot be read or written now
        sqlite3.OperationalError, lambda _: _problem(Problem("ledger_unavailable", headers={"Retry-After": "2"}))
    )
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _bug)


def _damaged(error: LedgerBroken) -> Response:
    log.critical("%s", error)
    return _problem(Problem("ledger_damaged"))


def _problem(problem: Problem) -> Response:
    tongue = language()
    return _response(problem.status, problem.code, problem.sentence(tongue), tongue, problem.headers)


def _disk_full(_: DiskFull) -> Response:
    tongue = language()
    said = DISK_FULL[0 if tongue == "zh" else 1]
    return _response(503, "ledger_unavailable", said, tongue, {"Retry-After": "30"})


def _refusal(refusal: Refusal) -> Response:
    tongue = language()
    return _response(status_of(refusal.code), refusal.code.value, refusal.sentence(tongue), tongue, facts=refusal.facts)


def _http(error: HTTPException) -> Response:
    if error.response is not None:
        return error.get_response()  # type: ignore[return-value]  # a werkzeug response is what Flask sends on
    code, headers = _CODES.get(error.code or 500), {}
    if error.code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers = {name: value for name, value in error.get_headers() if name == "Allow"}
    if error.code is not None and 300 <= error.code < 400:
        return error.get_response()  # type: ignore[return-value]  # as above
    if code is None:
        what = error.description or HTTPStatus(error.code or 500).phrase
        return _response(error.code or 500, "bad_request", what, "en", headers)
    words = {"limit": str(request.max_content_length or 0), "what": {"zh": "格式不对", "en": error.name}}
    return _problem(Problem(code, headers=headers, **words))


def _bug(error: Exception) -> Response:
    rule = request.url_rule.rule if request.url_rule is not None else "?"  # an address may hold a track token
    log.error("%s %s failed", request.method, rule, exc_info=error)
    return _problem(Problem("internal_error"))


def _response(
    status: int,
    code: str,
    detail: str,
    tongue: str,
    headers: Mapping[str, str] | None = None,
    *,
    facts: Mapping[str, str] | None = None,
) -> Response:
    body = {
        "type": f"urn:jiaohao:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        **(facts or {}),
    }
    response = Response(
        json.dumps(body, ensure_ascii=False), status=status, content_type="application/problem+json; charset=utf-8"
    )
    response.headers.update(headers or {})
    response.headers["Content-Language"] = tongue
    response.headers.add("Vary", "Accept-Language")
    if status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = 'Bearer realm="jiaohao"'
    return response


# What a pattern asks for, as somebody would write it.
EXAMPLES: Mapping[str, str] = {
    r"^\d{4}-\d{2}-\d{2}$": "2026-05-01",
    r"^\d{4}-\d{2}$": "2026-05",
    r"^\d{2}:\d{2}$": "09:30",
    r"^\d{6}$": "041233",
    r"^[A-Za-z]{1,2}$": "R",
    r"^[a-z][a-z0-9_-]{0,31}$": "kiosk",
    r"^[a-z]{2,3}(-[A-Za-z]{2,8})?$": "zh",
}

IMPOSSIBLE = frozenset({"not_in_calendar", "days_reversed"})

_CODES = {400: "bad_request", 404: "not_found", 405: "method_not_allowed", 413: "too_large", 415: "not_json"}
FAULTS_SHOWN_MAX = 5


def _sentences(faults: Iterable[ErrorDetails], which: int, joint: str) -> str:
    return joint.join(_sentence(fault, which) for fault in list(faults)[:FAULTS_SHOWN_MAX])


def _sentence(fault: ErrorDetails, which: int) -> str:
    field = ".".join(str(part) for part in fault["loc"]) or ("内容", "the body")[which]
    known = SENTENCES.get(fault["type"])
    if known is None:
        return f"“{field}”不对（{fault['msg']}）" if which == 0 else f"{field} is wrong ({fault['msg']})"
    words = dict(fault.get("ctx", {}))
    if pattern := words.get("pattern"):
        words["pattern"] = EXAMPLES.get(pattern, pattern)
    if which == 0 and "expected" in words:
        words["expected"] = str(words["expected"]).replace(" or ", "、").replace(", ", "、")
    return known[which].format(field=field, **words)
