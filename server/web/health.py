"""For machines that watch the server: alive, ready, and figures in the Prometheus text format (version 0.0.4)."""

import json
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from threading import Lock

from flask import Blueprint, Flask, Response, g, request

from server.domain.state import HallState
from server.projections.common import open_windows_by_zone, waiting_by_zone
from server.web.site import here

BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
_METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")  # an unknown word must not make a new series

Labels = tuple[tuple[str, str], ...]

pages = Blueprint("health", __name__)


class Requests:
    """How many requests were answered how and how fast, by route."""

    def __init__(self) -> None:
        """Begin at zero."""
        self._lock = Lock()
        self._counts: dict[tuple[str, str, int], int] = defaultdict(int)
        self._times: dict[str, list[int]] = {}
        self._sums: dict[str, float] = defaultdict(float)

    def add(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answer."""
        with self._lock:
            self._counts[method, route, status] += 1
            self._sums[route] += seconds
            rows = self._times.setdefault(route, [0] * (len(BUCKETS_S) + 1))
            rows[sum(seconds > bound for bound in BUCKETS_S)] += 1

    def text(self) -> list[str]:
        """Give the lines."""
        with self._lock:
            lines = ["# TYPE jiaohao_http_requests_total counter"]
            lines += [
                _line(
                    "jiaohao_http_requests_total",
                    (("method", method), ("route", route), ("status", str(status))),
                    count,
                )
                for (method, route, status), count in sorted(self._counts.items())
            ]
            lines.append("# TYPE jiaohao_http_request_seconds histogram")
            for route, rows in sorted(self._times.items()):
                total = 0
                for bound, count in zip((*map(str, BUCKETS_S), "+Inf"), rows, strict=True):
                    total += count
                    lines.append(_line("jiaohao_http_request_seconds_bucket", (("route", route), ("le", bound)), total))
                lines.append(_line("jiaohao_http_request_seconds_sum", (("route", route),), self._sums[route]))
                lines.append(_line("jiaohao_http_request_seconds_count", (("route", route),), total))
        return lines


def install(app: Flask) -> None:
    """Count every answer of the app."""
    requests = Requests()
    app.extensions["jiaohao_requests"] = requests

    def begin() -> None:
        g.began_s = time.perf_counter()

    def end(response: Response) -> Response:
        route = request.url_rule.rule if request.url_rule is not None else "(none)"
        method = request.method if request.method in _METHODS else "(other)"
        requests.add(method, route, response.status_code, time.perf_counter() - g.get("began_s", time.perf_counter()))
        return response

    app.before_request(begin)
    app.after_request(end)
    app.register_blueprint(pages)

    def metrics() -> Response:
        lines = [*requests.text(), *_hall_lines()]
        return Response("\n".join(lines) + "\n", content_type="text/plain; version=0.0.4; charset=utf-8")

    app.add_url_rule("/metrics", "health.metrics", metrics)


@pages.get("/healthz")
def healthz() -> Response:
    """Say that the process answers."""
    return _json({"alive": True}, 200)


@pages.get("/readyz")
def readyz() -> Response:
    """Say whether the hall can be served now: every check with what is wrong, the disk's reserve, notes for people."""
    faults = {name: _asked(check) for name, check in here().checks.items()}
    ready = all(fault is None for fault in faults.values())
    checks = {name: fault or "ok" for name, fault in faults.items()}
    reserve = "held" if here().has_reserve() else "given up"
    answer = {"ready": ready, "checks": checks, "reserve": reserve, "notes": _notes()}
    return _json(answer, 200 if ready else 503)


def _notes() -> list[str]:
    """Give what somebody should look at although the hall is served: a hall that does not run what its file says."""
    site = here()  # everybody may ask, also while the disk hangs: no names, and nothing that waits for a turn
    return [
        f"hall {id_}: {seed.path.name} differs from what runs; jiaohao check --diff shows how"
        for id_, seed in site.seeds.items()
        if site.halls[id_].plan.digest != seed.plan.digest
    ]


def _asked(check: Callable[[], str | None]) -> str | None:
    try:
        return check()
    except OSError as error:
        return str(error)


FAMILIES = (
    ("jiaohao_commits_total", "counter"),
    ("jiaohao_tickets_issued", "gauge"),
    ("jiaohao_waiting", "gauge"),
    ("jiaohao_open_windows", "gauge"),
)


def _hall_lines() -> list[str]:
    """Give the halls' figures; the format wants all lines of a name in one block."""
    rows = [row for hall in here().halls.values() for row in hall.read(_figures_of)]
    lines = []
    for family, kind in FAMILIES:
        lines.append(f"# TYPE {family} {kind}")
        lines += [_line(name, labels, value) for name, labels, value in rows if name == family]
    return lines


def _figures_of(state: HallState, seq: int) -> list[tuple[str, Labels, int]]:
    hall = ("hall", state.plan.hall)
    waiting, at_work = waiting_by_zone(state), open_windows_by_zone(state)
    rows: list[tuple[str, Labels, int]] = [
        ("jiaohao_commits_total", (hall,), seq),
        ("jiaohao_tickets_issued", (hall,), len(state.tickets)),
    ]
    for zone in state.plan.queues:
        labels = (hall, ("zone", zone.id))
        rows.append(("jiaohao_waiting", labels, waiting[zone.id].count))
        rows.append(("jiaohao_open_windows", labels, at_work[zone.id]))
    return rows


def _line(name: str, labels: Labels, value: float) -> str:
    inside = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels)
    return f"{name}{{{inside}}} {value}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _json(body: Mapping[str, object], status: int) -> Response:
    return Response(json.dumps(body, ensure_ascii=False), status=status, content_type="application/json")
