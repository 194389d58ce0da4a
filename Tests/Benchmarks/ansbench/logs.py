"""P4 to P7: log lines, from the step that writes them to those who read them."""

import hashlib
import json
import subprocess
import time
import zlib

from . import yardsticks
from .common import Broken, Figure, Yardstick, percentile, say
from .stack import Stack, memory, reset_peak

LINES = 1_000_000
LIMIT = "    limits: { log: 256MiB }\n"


def live_line(bench):
    """P4."""
    count = bench.size(200, 600)
    p50s, p99s = [], []
    with Stack(bench) as stack:
        stack.agent("one")
        for repeat in range(bench.repeats):
            go = stack.directory / f"go-{repeat}"
            pipeline = stack.pipeline(f"p4-{repeat}", f"{bench.tool} ticks {count} 50000 {go}")
            run = stack.start(pipeline)
            live = stack.live(f"/ws/executions/{run}/")
            wait_running(stack, run)
            go.touch()
            times = []
            while len(times) < count:
                at, message = live.receive(30)
                if message["type"] != "log_update":
                    continue
                for line in message["data"]["lines"]:
                    # The first line shows the command.
                    if not line.get("partial") and line["text"].startswith("i="):
                        times.append((at - int(line["text"].split("t=")[1].split()[0])) / 1e6)
            live.close()
            wait_finished(stack, run)
            p50s.append(percentile(times, 0.5))
            p99s.append(percentile(times, 0.99))
            say(f"P4 repeat {repeat + 1}: p50 {p50s[-1]:.2f} ms, p99 {p99s[-1]:.2f} ms")
    base50, base99 = yardsticks.tls_line(bench)
    name = "a line through one loopback TLS connection"
    return [
        Figure("P4", "line written to seen, p50", "ms", p50s, "low", 2.0, Yardstick(name, base50, "ms")),
        Figure("P4", "line written to seen, p99", "ms", p99s, "low", 6.0, Yardstick(name, base99, "ms")),
    ]


def state(stack, run):
    return stack.api.call("GET", f"/api/v1/pipeline-runs/{run}")


def wait_running(stack, run, timeout=30):
    """Until the step's attempt runs."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        detail = state(stack, run)
        if detail["jobs"][0]["steps"][0]["phase"] == "running":
            return detail
        if detail["phase"] == "finished":
            raise Broken(f"The run ended before it ran: {json.dumps(detail)[:500]}")
        time.sleep(0.02)
    raise Broken("The step did not start.")


def wait_finished(stack, run, timeout=120):
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        detail = state(stack, run)
        if detail["phase"] == "finished":
            return detail
        time.sleep(0.02)
    raise Broken("The run did not end.")


def bulk(bench):
    """P5 and P6: one step prints 101 MB; how long until all is durable, in what memory; stored size and download."""
    rates, controller_peaks, agent_peaks, sizes, downloads, hashes = [], [], [], [], [], []
    expected, packed, plain = expected_log(bench)
    with Stack(bench) as stack:
        agent = stack.agent("one")
        for repeat in range(bench.repeats):
            stamp = stack.directory / f"bulk-{repeat}"
            command = f"{bench.tool} lines {LINES} {stamp}"
            pipeline = stack.pipeline(f"p5-{repeat}", command, job=LIMIT)
            live = stack.live(f"/ws/pipeline/{pipeline}")
            reset_peak(stack.controller.pid)
            reset_peak(agent.pid)
            run = stack.start(pipeline)
            end, results = live.await_finished(1, 300)
            if results != ["success"]:
                raise Broken(f"The run ended as {results}.")
            live.close()
            rates.append(LINES * 101 / 1e6 / ((end - int(stamp.read_text())) / 1e9))
            attempt = state(stack, run)["jobs"][0]["steps"][0]["attempts"][0]
            sizes.append(stored_size(stack, attempt["id"]))
            controller_peaks.append(memory(stack.controller.pid)["peak"])
            agent_peaks.append(memory(agent.pid)["peak"])
            seconds, whole, output = download(stack, run)
            downloads.append(seconds)
            hashes.append(1.0 if whole == attempt["log"]["sha256"] and output == expected else 0.0)
            say(
                f"P5 repeat {repeat + 1}: {rates[-1]:.0f} MB/s, peaks {controller_peaks[-1]:.0f} / {agent_peaks[-1]:.0f} MB; "
                f"P6: {sizes[-1]:.2f} MB stored, {seconds:.2f} s, hash {'equal' if hashes[-1] else 'NOT equal'}"
            )
        copy = yardsticks.plain_copy(plain)
    tls = yardsticks.tls_copy(bench)
    return [
        Figure("P5", "101 MB until durable", "MB/s", rates, "high", 92.0, Yardstick("loopback TLS copy", tls, "MB/s")),
        Figure("P5", "peak memory of the controller", "MB", controller_peaks, "low", 64),
        Figure("P5", "peak memory of the agent", "MB", agent_peaks, "low", 32),
        Figure("P6", "stored size", "MB", sizes, "low", 8.0, Yardstick("the same log, zlib level 6", packed, "MB")),
        Figure("P6", "download", "s", downloads, "low", 0.3, Yardstick("sendfile over plain TCP", copy, "s")),
        Figure("P6", "hash of the download equal", "", hashes, "high", 1.0),
    ]


def expected_log(bench):
    """SHA-256, size by zlib (MB) and path of what `tool lines` prints."""
    path = bench.scratch / "expected.log"
    with open(path, "wb") as file:
        subprocess.run([bench.tool, "lines", str(LINES), "-"], check=True, stdout=file)
    digest, packer, packed = hashlib.sha256(), zlib.compressobj(6), 0
    with open(path, "rb") as file:
        while part := file.read(1 << 20):
            digest.update(part)
            packed += len(packer.compress(part))
    packed += len(packer.flush())
    return digest.hexdigest(), packed / 1e6, path


def stored_size(stack, attempt, timeout=60):
    """MB of the attempt's files once its log is closed."""
    root = stack.directory / "controller"
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        closed = list(root.rglob(f"{attempt}.zst"))
        if closed and not list(root.rglob(f"{attempt}.seg")):
            return sum(path.stat().st_size for path in closed) / 1e6
        time.sleep(0.05)
    raise Broken("The log was not closed in time.")


def download(stack, run):
    """Downloads the whole log, raw. Hashed afterwards, since that is not the controller's work.

    Returns seconds, SHA-256 of everything, and SHA-256 of what the step wrote: without the first line, which shows the command.
    """
    parts = []
    connection = stack.connection()
    start = time.perf_counter()
    connection.send(connection.request("GET", f"/api/v1/pipeline-runs/{run}/steps/only/log?format=raw"))
    status, _ = connection.answer(parts.append)
    seconds = time.perf_counter() - start
    connection.close()
    if status != 200:
        raise Broken(f"The download was answered {status}.")
    body = b"".join(parts)
    head = body.index(b"\n") + 1 if body.startswith(b"$ ") else 0
    return seconds, hashlib.sha256(body).hexdigest(), hashlib.sha256(memoryview(body)[head:]).hexdigest()


def viewers(bench):
    """P7."""
    count, lines, period = 1000, bench.size(1000, 3000), 10_000
    shares, p50s, p99s = [], [], []
    with Stack(bench) as stack:
        stack.agent("one")
        for repeat in range(bench.repeats):
            go = stack.directory / f"go-{repeat}"
            pipeline = stack.pipeline(f"p7-{repeat}", f"{bench.tool} ticks {lines} {period} {go}")
            run = stack.start(pipeline)
            wait_running(stack, run)
            answer = watch(
                bench, stack.port, f"/ws/executions/{run}/?logs=%7B%22main/only/1%22:1%7D", stack.token, count, lines, period,
                go.touch,
            )
            wait_finished(stack, run)
            shares.append(100.0 * answer["seen"] / (count * lines))
            p50s.append(answer["p50_ms"])
            p99s.append(answer["p99_ms"])
            say(f"P7 repeat {repeat + 1}: {json.dumps(answer)}")
            if answer["out_of_order"] or answer["closed"]:
                say("P7: viewers were closed or saw lines out of order; the controller's log has why")
    base = bare_fanout(bench, count, lines, period)
    name = "a bare server in C, plain TCP"
    return [
        Figure("P7", "1,000 viewers: delivered", "%", shares, "high", 100.0, Yardstick(name, base["share"], "%")),
        Figure("P7", "1,000 viewers: p50", "ms", p50s, "low", 6.0, Yardstick(name, base["p50_ms"], "ms")),
        Figure("P7", "1,000 viewers: p99", "ms", p99s, "low", 22.0, Yardstick(name, base["p99_ms"], "ms")),
    ]


def watch(bench, port, path, token, count, lines, period, go):
    """Opens the viewers, lets the step write once all are open, and returns what they saw."""
    deadline = 20 + lines * period / 1e6
    process = subprocess.Popen(
        [bench.viewers, "127.0.0.1", str(port), path, token, str(count), str(lines), str(deadline)],
        stdout=subprocess.PIPE, text=True,
    )
    if process.stdout.readline().strip() != "ready":
        process.wait()
        raise Broken("The viewers could not be opened.")
    # Their snapshots are on their way: the subscription counts from the upgrade, the lines from the first.
    time.sleep(0.5)
    go()
    answer = json.loads(process.stdout.readline())
    process.wait()
    return answer


def bare_fanout(bench, count, lines, period):
    server = subprocess.Popen(
        [bench.fanout, str(count), str(lines), str(period)], stdout=subprocess.PIPE, text=True
    )
    port = int(server.stdout.readline())
    answer = watch(bench, port, "-", "-", count, lines, period, lambda: None)
    server.wait()
    answer["share"] = 100.0 * answer["seen"] / (count * lines)
    return answer
