"""P12: a long queue: what it costs to dispatch from it, to look at it, and to start with it."""

import os
import signal
import threading
import time

from . import yardsticks
from .client import Connection, now_ns
from .common import Broken, Figure, Yardstick, percentile, say
from .stack import Stack
from .triggers import post_all

AGENTS = 20
SHORT, LONG = 100, 10_000


def pause(stack, paused):
    """Keeps the agents from taking jobs, or lets them."""
    for item in stack.api.call("GET", "/api/v1/agents")["items"]:
        stack.api.call("POST", f"/api/v1/agents/{item['id']}/{'pause' if paused else 'resume'}", {"note": "bench"} if paused else {})


def await_stamps(stamps, count, timeout=300):
    """The first `count` times (ns) that steps noted, in order."""
    deadline = time.monotonic() + timeout
    while True:
        found = stamps.read_text().split() if stamps.exists() else []
        if len(found) >= count:
            return sorted(int(word) for word in found)[:count]
        if time.monotonic() > deadline:
            raise Broken(f"{len(found)} of {count} steps began within {timeout} s.")
        time.sleep(0.01)


def rate(stack, stamps, pipeline, pending, count):
    """Lets the agents at `pending` runs; returns how many of the first `count` began a second."""
    stamps.unlink(missing_ok=True)
    pause(stack, True)
    post_all(stack, pipeline, pending)
    pause(stack, False)
    times = await_stamps(stamps, count)
    return (count - 1) / ((times[-1] - times[0]) / 1e9)


def looks(stack, newest, ended):
    """Times in ms of pages and of the run `newest`, asked for one after another until `ended` is set."""
    connection = Connection(stack.port, stack.token)
    requests = [
        connection.request("GET", path)
        for path in ("/api/v1/pipeline-runs?per_page=20", f"/api/v1/pipeline-runs/{newest}", "/api/v1/agents")
    ]
    times = []
    while not ended.is_set():
        for request in requests:
            at = connection.send(request)
            status, text = connection.answer()
            if status != 200:
                raise Broken(f"A look at the queue was answered {status}: {text[:300]}")
            times.append((now_ns() - at) / 1e6)
        time.sleep(0.005)
    connection.close()
    return times


def restart(stack, stamps):
    """Kills the controller and starts it again; returns the seconds until the next step began."""
    os.kill(stack.controller.pid, signal.SIGKILL)
    stack.controller.wait()
    # What was under way ends meanwhile; no agent starts anything without its controller.
    time.sleep(1)
    stamps.unlink(missing_ok=True)
    start = now_ns()
    stack.launch()
    return (await_stamps(stamps, 1)[0] - start) / 1e9


def long_queue(bench):
    """P12."""
    few, many, times, restarts = [], [], [], []
    with Stack(bench) as stack:
        for number in range(AGENTS):
            stack.agent(f"queue-{number}", "bench=queue")
        stamps = stack.directory / "stamps"
        pipeline = stack.pipeline("p12", f"{bench.tool} stamp {stamps}", "queue")
        rate(stack, stamps, pipeline, SHORT, SHORT)
        for repeat in range(bench.repeats):
            few.append(rate(stack, stamps, pipeline, SHORT, SHORT))
            say(f"P12 repeat {repeat + 1}, {SHORT} pending: {few[-1]:.0f} dispatched/s")
        pause(stack, True)
        began = time.perf_counter()
        post_all(stack, pipeline, LONG)
        say(f"P12: {LONG} runs queued in {time.perf_counter() - began:.1f} s")
        stamps.unlink(missing_ok=True)
        newest = stack.api.call("GET", "/api/v1/pipeline-runs?per_page=1")["items"][0]["id"]
        ended = threading.Event()
        looker = threading.Thread(target=lambda: times.extend(looks(stack, newest, ended)))
        looker.start()
        pause(stack, False)
        try:
            window = 500
            begun = await_stamps(stamps, window * bench.repeats)
        finally:
            ended.set()
            looker.join()
        for repeat in range(bench.repeats):
            part = begun[repeat * window : (repeat + 1) * window]
            many.append((len(part) - 1) / ((part[-1] - part[0]) / 1e9))
            say(f"P12 repeat {repeat + 1}, about {LONG} pending: {many[-1]:.0f} dispatched/s")
        for repeat in range(bench.repeats):
            restarts.append(restart(stack, stamps))
            say(f"P12 repeat {repeat + 1}: {restarts[-1]:.2f} s from the restart to the first step")
    if not times:
        raise Broken("The queue was not looked at.")
    base = 1000 / yardsticks.spawn(bench)[0]
    spawns = Yardstick("spawns of sh -c true, one after another", base, "1/s")
    flat = Yardstick(f"the same with {SHORT} pending", sorted(few)[len(few) // 2], "1/s")
    return [
        Figure("P12", f"dispatch, {AGENTS} agents, {SHORT} pending", "1/s", few, "high", None, spawns),
        Figure("P12", f"dispatch, {AGENTS} agents, {LONG} pending", "1/s", many, "high", None, flat),
        Figure("P12", "API beside that, p99", "ms", [percentile(times, 0.99)], "low", 20.0),
        Figure("P12", "restart to first step", "s", restarts, "low", 2.0),
    ]
