"""P1 to P3: from a trigger over HTTP to a step's first instruction, to the run's end, and many runs at once."""

import threading
import time

from . import yardsticks
from .client import Connection, now_ns
from .common import Broken, Figure, Yardstick, percentile, say
from .stack import Stack

#: What Laminar took on a quiet 2-core machine; see docs/performance.md.
LAMINAR = {"P1": (5.7, 7.6), "P2": (7.3, 10.0), "P3": (184.0, 259.0)}


def series(stack, pipeline, count):
    """Starts a run, waits for its end, and again after a pause. Returns when each was sent and when its end was seen (ns)."""
    connection = stack.connection()
    live = stack.live(f"/ws/pipeline/{pipeline}")
    request = connection.request("POST", f"/api/v1/pipelines/{pipeline}/runs", {})
    sent, ended = [], []
    for _ in range(count):
        sent.append(connection.send(request))
        status, text = connection.answer()
        if status != 201:
            raise Broken(f"A run was answered {status}: {text[:300]}")
        at, results = live.await_finished()
        if results != ["success"]:
            raise Broken(f"A run ended as {results}.")
        ended.append(at)
        # Idle means that the agent has its next shim ready and nothing is left to do.
        time.sleep(0.05)
    connection.close()
    return sent, ended


def first_instruction(bench):
    """P1."""
    p50s, p99s = [], []
    with Stack(bench) as stack:
        stack.agent("one")
        stamps = stack.directory / "stamps"
        pipeline = stack.pipeline("p1", f"{bench.tool} stamp {stamps}")
        series(stack, pipeline, 10)
        for repeat in range(bench.repeats):
            stamps.unlink()
            sent, _ = series(stack, pipeline, bench.size(100, 400))
            first = [int(line) for line in stamps.read_text().split()]
            if len(first) != len(sent):
                raise Broken(f"{len(sent)} runs left {len(first)} stamps.")
            times = [(at - start) / 1e6 for start, at in zip(sent, first)]
            p50s.append(percentile(times, 0.5))
            p99s.append(percentile(times, 0.99))
            say(f"P1 repeat {repeat + 1}: p50 {p50s[-1]:.2f} ms, p99 {p99s[-1]:.2f} ms")
    # The run is made durable before it is sent, and the agent's word before it acts.
    base50, base99 = yardsticks.floor(bench, 2, True)
    name = "two fdatasync and a spawn to the same instruction"
    return [
        Figure("P1", "trigger to first instruction, p50", "ms", p50s, "low", LAMINAR["P1"][0], Yardstick(name, base50, "ms")),
        Figure("P1", "trigger to first instruction, p99", "ms", p99s, "low", LAMINAR["P1"][1], Yardstick(name, base99, "ms")),
    ]


def whole_run(bench):
    """P2."""
    p50s, p99s = [], []
    with Stack(bench) as stack:
        stack.agent("one")
        pipeline = stack.pipeline("p2", "true")
        series(stack, pipeline, 10)
        for repeat in range(bench.repeats):
            sent, ended = series(stack, pipeline, bench.size(100, 400))
            times = [(at - start) / 1e6 for start, at in zip(sent, ended)]
            p50s.append(percentile(times, 0.5))
            p99s.append(percentile(times, 0.99))
            say(f"P2 repeat {repeat + 1}: p50 {p50s[-1]:.2f} ms, p99 {p99s[-1]:.2f} ms")
    # As before, and the end is made durable before it is told.
    base50, base99 = yardsticks.floor(bench, 3, False)
    name = "three fdatasync and a spawn of sh -c true"
    return [
        Figure("P2", "trigger to finished, p50", "ms", p50s, "low", LAMINAR["P2"][0], Yardstick(name, base50, "ms")),
        Figure("P2", "trigger to finished, p99", "ms", p99s, "low", LAMINAR["P2"][1], Yardstick(name, base99, "ms")),
    ]


def post_all(stack, pipeline, count, connections=8):
    """Sends `count` triggers over several connections at once; returns when (ns) the first was sent."""
    failures = []
    share = [count // connections + (1 if i < count % connections else 0) for i in range(connections)]

    def post(amount):
        try:
            connection = Connection(stack.port, stack.token)
            request = connection.request("POST", f"/api/v1/pipelines/{pipeline}/runs", {})
            for _ in range(amount):
                connection.send(request)
                status, text = connection.answer()
                if status != 201:
                    raise Broken(f"A run was answered {status}: {text[:300]}")
            connection.close()
        except (OSError, Broken) as error:
            failures.append(error)

    threads = [threading.Thread(target=post, args=(amount,)) for amount in share]
    start = now_ns()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise Broken(f"Not all runs were taken: {failures[0]}")
    return start


def throughput(bench):
    """P3."""
    count = 500
    rates = {1: [], 4: []}
    with Stack(bench) as stack:
        stack.agent("one")
        for number in range(4):
            stack.agent(f"four-{number}", "bench=four")
        for agents, label in ((1, "one"), (4, "four")):
            pipeline = stack.pipeline(f"p3-{label}", "true", label)
            for repeat in range(bench.repeats):
                live = stack.live(f"/ws/pipeline/{pipeline}")
                start = post_all(stack, pipeline, count)
                end, results = live.await_finished(count, 300)
                if set(results) != {"success"}:
                    raise Broken(f"Runs ended as {set(results)}.")
                live.close()
                rates[agents].append(count / ((end - start) / 1e9))
                say(f"P3 repeat {repeat + 1}, {agents} agent(s): {rates[agents][-1]:.0f} runs/s")
    base = 1000 / yardsticks.spawn(bench)[0]
    yard = Yardstick("spawns of sh -c true, one after another", base, "1/s")
    return [
        Figure("P3", "500 runs at once, 1 agent", "runs/s", rates[1], "high", LAMINAR["P3"][0], yard),
        Figure("P3", "500 runs at once, 4 agents", "runs/s", rates[4], "high", LAMINAR["P3"][1], yard),
    ]
