"""WEBHOOKS: a storm of signed deliveries, 500 each second, while agents work, and what the list of runs takes meanwhile."""

import hashlib
import hmac
import json
import threading
import time

from .client import Connection, now_ns
from .common import Broken, Figure, percentile, say
from .pages import Changes
from .stack import Stack

RATE = 500
CONNECTIONS = 16
SECRET = "a secret for the benchmark alone"
#: What is promised of the answers, and of reading beside them.
TARGET_MS, TARGET_LIST_MS = 100.0, 50.0


def requests(hook, first, count):
    """The bytes of `count` pushes of GitHub's shape, about 6 KB each."""
    made = []
    for number in range(first, first + count):
        commit = f"{number + 1:040x}"
        body = json.dumps({
            "ref": "refs/heads/main", "before": "0" * 40, "after": commit, "created": True, "deleted": False,
            "head_commit": {"id": commit, "message": "Count the widgets"},
            "commits": [{"id": commit, "message": "x" * 500, "added": [f"src/{i}.c" for i in range(40)]}] * 5,
            "repository": {"id": 4217, "full_name": "octo/widgets", "clone_url": "https://forge.example.org/octo/widgets.git"},
            "sender": {"login": "octo"},
        }).encode()
        code = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        lines = [
            f"POST /webhooks/github?hook={hook} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}",
            "Content-Type: application/json", "X-GitHub-Event: push", f"X-GitHub-Delivery: {number}",
            f"X-Hub-Signature-256: sha256={code}",
        ]
        made.append(("\r\n".join(lines) + "\r\n\r\n").encode() + body)
    return made


def storm(stack, made):
    """Sends at a steady rate; returns the answers' times (ms) and statuses."""
    times, statuses, failures, refused = [], [], [], []
    start = now_ns() + 50_000_000

    def send(share):
        try:
            connection = Connection(stack.port)
            for number in range(share, len(made), CONNECTIONS):
                due = start + number * 1_000_000_000 // RATE
                while (wait := due - now_ns()) > 0:
                    time.sleep(wait / 1e9)
                connection.send(made[number])
                status, body = connection.answer()
                if status != 202 and len(refused) < 3:
                    refused.append(f"{status} after {len(statuses)} answers: {body[:300]!r}")
                # From when it was due: a server that stalls must not be helped by a sender that waits for it.
                times.append((now_ns() - due) / 1e6)
                statuses.append(status)
            connection.close()
        except (OSError, Broken) as error:
            failures.append(error)

    threads = [threading.Thread(target=send, args=(share,)) for share in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise Broken(f"Not all webhooks were answered: {failures[0]}")
    if refused:
        raise Broken(f"Not all webhooks were taken: {'; '.join(refused)}")
    return times, statuses


def judged(stack, connection, count):
    """Waits until all are judged; returns the seconds."""
    begin = time.monotonic()
    while time.monotonic() - begin < 300:
        if connection.call("GET", "/api/v1/webhook-events?state=judged&per_page=1")["total"] >= count:
            return time.monotonic() - begin
        time.sleep(0.1)
    raise Broken("Not all webhooks were judged within 300 s.")


def storms(bench):
    """WEBHOOKS."""
    seconds = bench.size(4, 60)
    p99s, rests, lists, works = [], [], [], []
    with Stack(bench) as stack:
        connection = stack.connection()
        # An agent has work all the time: a step that talks, and five short runs each second.
        stack.agent("worker", slots=2)
        working = stack.pipeline("works", "true")
        stack.start(stack.pipeline("talks", "while :; do echo a line of output; sleep 0.05; done"))
        # It refuses all of them: what is measured is taking and judging, not running.
        pipeline = connection.call("POST", "/api/v1/pipelines", {
            "name": "storm", "definition": "on: { tag: v* }\nsteps: [{ run: 'true' }]\n"})["id"]
        hook = connection.call("POST", "/api/v1/projects/1/hooks", {
            "source": "github", "name": "storm", "secret": SECRET, "pipelines": [pipeline]})["id"]
        total = 0
        for repeat in range(bench.repeats):
            made = requests(hook, total, RATE * seconds)
            slow, stop = [], threading.Event()

            def look():
                other = stack.connection()
                while not stop.is_set():
                    begin = now_ns()
                    other.call("GET", "/api/v1/pipeline-runs")
                    slow.append((now_ns() - begin) / 1e6)
                    time.sleep(0.05)
                other.close()

            looker = threading.Thread(target=look)
            looker.start()
            try:
                begin = time.monotonic()
                with Changes(stack, working, 0.2) as work:
                    times, statuses = storm(stack, made)
                works.append(work.count / (time.monotonic() - begin))
            finally:
                stop.set()
                looker.join()
            if set(statuses) != {202}:
                raise Broken(f"Webhooks were answered {sorted(set(statuses))}.")
            total += len(made)
            rests.append(judged(stack, connection, total))
            rows = connection.call("GET", "/api/v1/webhook-events?per_page=1")["total"]
            if rows != total:
                raise Broken(f"{total} answers of 202 left {rows} events.")
            p99s.append(percentile(times, 0.99))
            lists.append(percentile(slow, 0.99))
            say(
                f"WEBHOOKS repeat {repeat + 1}: p99 {p99s[-1]:.1f} ms, list {lists[-1]:.1f} ms, "
                f"{works[-1]:.1f} runs/s beside, all judged {rests[-1]:.1f} s later"
            )
    return [
        Figure("WEBHOOKS", f"{RATE}/s for {seconds} s, answer p99", "ms", p99s, "low", TARGET_MS),
        Figure("WEBHOOKS", "all judged after the last", "s", rests, "low"),
        Figure("WEBHOOKS", "list of runs meanwhile, p99", "ms", lists, "low", TARGET_LIST_MS),
        Figure("WEBHOOKS", "runs that the agent was given meanwhile", "1/s", works, "high"),
    ]
