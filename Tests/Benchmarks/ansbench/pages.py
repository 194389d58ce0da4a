"""P8, P9, P14: pages of a long list under load, without a cache, and a dashboard's requests."""

import re
import subprocess
import threading
import time

from .client import Connection
from .common import Broken, Figure, Yardstick, say
from .stack import Stack
from .triggers import post_all

ROWS = 10_000


def wrk(port, path, token, seconds, connections=64):
    """Requests a second and p99 in ms."""
    text = subprocess.run(
        [
            "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-H", f"Authorization: Bearer {token}",
            f"http://127.0.0.1:{port}{path}",
        ],
        check=True, capture_output=True, text=True,
    ).stdout
    if "Non-2xx" in text or "Socket errors" in text:
        raise Broken(f"wrk saw errors: {text}")
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1])
    number, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)\b", text).groups()
    return rate, float(number) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[unit]


def fill(stack):
    """Makes 10,000 rows: real runs, triggered over HTTP, of a pipeline whose only job is skipped by its condition."""
    pipeline = stack.pipeline("p8", "true", job="    if: \"branch == 'never'\"\n")
    start = time.perf_counter()
    post_all(stack, pipeline, ROWS)
    total = stack.api.call("GET", "/api/v1/pipeline-runs?per_page=20")["total"]
    if total != ROWS:
        raise Broken(f"There are {total} runs instead of {ROWS}.")
    return ROWS / (time.perf_counter() - start)


def list_page(bench):
    """P8."""
    rates, p99s, static_rates, static_p99s = [], [], [], []
    seconds = bench.size(5, 15)
    with Stack(bench) as stack:
        filled = fill(stack)
        say(f"P8: {ROWS} rows made, {filled:.0f}/s")
        for repeat in range(bench.repeats):
            rate, p99 = wrk(stack.port, "/health/live", stack.token, seconds)
            static_rates.append(rate)
            static_p99s.append(p99)
            rate, p99 = wrk(stack.port, "/api/v1/pipeline-runs?page=1&per_page=20", stack.token, seconds)
            rates.append(rate)
            p99s.append(p99)
            say(f"P8 repeat {repeat + 1}: {rate:.0f}/s, p99 {p99:.1f} ms; /health/live {static_rates[-1]:.0f}/s")
    middle = len(rates) // 2
    name = "/health/live of the same controller"
    return [
        Figure(
            "P8", "list page, wrk -c64", "1/s", rates, "high", 10_000.0,
            Yardstick(name, sorted(static_rates)[middle], "1/s")),
        Figure("P8", "list page, p99", "ms", p99s, "low", 20.0, Yardstick(name, sorted(static_p99s)[middle], "ms")),
        Figure("P8", "runs made over HTTP (8 connections)", "1/s", [filled], "high"),
    ]


class Changes:
    """Starts runs over one connection until it is left, so that the list changes all the time."""

    def __init__(self, stack, pipeline, pause=0.0):
        self.stack, self.pipeline, self.pause = stack, pipeline, pause
        self.count, self.failure, self.ended = 0, None, False

    def __enter__(self):
        self.thread = threading.Thread(target=self._run)
        self.thread.start()
        return self

    def _run(self):
        try:
            connection = Connection(self.stack.port, self.stack.token)
            request = connection.request("POST", f"/api/v1/pipelines/{self.pipeline}/runs", {})
            while not self.ended:
                connection.send(request)
                status, text = connection.answer()
                if status != 201:
                    raise Broken(f"A run was answered {status}: {text[:300]}")
                self.count += 1
                time.sleep(self.pause)
            connection.close()
        except (OSError, Broken) as error:
            self.failure = error

    def __exit__(self, *_):
        self.ended = True
        self.thread.join()
        if self.failure:
            raise self.failure


def first_after_change(bench):
    """P9: the list's page with no cache at all, while runs are made."""
    rates, p99s, changes = [], [], []
    seconds = bench.size(5, 15)
    with Stack(bench, ("--cache-mib", "0")) as stack:
        fill(stack)
        pipeline = stack.pipeline("p9", "true", job="    if: \"branch == 'never'\"\n")
        for repeat in range(bench.repeats):
            with Changes(stack, pipeline, 0.005) as writer:
                rate, p99 = wrk(stack.port, "/api/v1/pipeline-runs?page=1&per_page=20", stack.token, seconds)
            rates.append(rate)
            p99s.append(p99)
            changes.append(writer.count / seconds)
            say(f"P9 repeat {repeat + 1}: {rate:.0f}/s, p99 {p99:.1f} ms, {changes[-1]:.0f} changes/s")
    return [
        Figure("P9", "list page without a cache, while runs are made", "1/s", rates, "high", 3_000.0),
        Figure("P9", "the same, p99", "ms", p99s, "low"),
        Figure("P9", "runs made meanwhile", "1/s", changes, "high"),
    ]


# What a page that shows runs asks for again and again.
DASHBOARD = [
    "/api/v1/pipeline-runs?page=1&per_page=20", "/api/v1/pipeline-runs/1", "/api/v1/pipelines?page=1&per_page=20",
    "/api/v1/pipeline-runs?status=failed&page=1&per_page=20", "/api/v1/pipeline-runs/2",
    "/api/v1/pipeline-runs?page=1&per_page=20",
]


def dashboard(bench):
    """P14: the hit rate of a dashboard's requests while runs are made, and answers that are older than a change before them."""
    hit_rates, stale, asked = [], 0, 0
    seconds = bench.size(5, 20)
    with Stack(bench) as stack:
        pipeline = stack.pipeline("p14", "true", job="    if: \"branch == 'never'\"\n")
        post_all(stack, pipeline, 500)
        for repeat in range(bench.repeats):
            stack.api.call("DELETE", "/api/v1/system/cache")
            before = figures(stack)
            with Changes(stack, pipeline, 0.1) as writer:
                deadline = time.monotonic() + seconds
                while time.monotonic() < deadline:
                    for path in DASHBOARD:
                        known = 500 + writer.count if repeat == 0 else 0
                        answer = stack.api.call("GET", path)
                        asked += 1
                        if path == DASHBOARD[0] and answer["total"] < known:
                            stale += 1
            after = figures(stack)
            hits, misses = after[0] - before[0], after[1] - before[1]
            hit_rates.append(100 * hits / max(1, hits + misses))
            say(f"P14 repeat {repeat + 1}: {hit_rates[-1]:.1f} % hits, {stale} stale of {asked}")
    return [
        Figure("P14", "hit rate, dashboard mix, 10 changes/s", "%", hit_rates, "high", 95.0),
        Figure("P14", "stale answers", "", [float(stale)], "low", 0.0),
    ]


def figures(stack):
    """Hits and misses of the caches of answers."""
    caches = stack.api.call("GET", "/api/v1/system/cache")["caches"]
    mine = [cache for cache in caches if cache["name"] in ("runs", "run", "pipelines")]
    return sum(cache["hits"] for cache in mine), sum(cache["misses"] for cache in mine)
