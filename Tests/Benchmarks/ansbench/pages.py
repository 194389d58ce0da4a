"""P8: pages of a long list under load."""

import re
import subprocess
import time

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
