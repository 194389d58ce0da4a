"""The log viewer in a page of its own, and steps that write logs for it."""
import json
import os
import re
import time

import pytest

from module_page import ModulePage
from stack import Stack

# A step's log begins with its script: what it writes comes behind so many lines.
ECHO = 5
LIVE = """
jobs:
  live:
    steps:
      - id: write
        run: |
          for i in $(seq 1 200); do echo "early $i"; done
          while [ ! -e /tmp/{gate}.go ]; do sleep 0.1; done
          awk 'BEGIN {{ for (i = 1; i <= {count}; i++) {{ print "live line " i; if (i % {batch} == 0) {{ fflush(); system("sleep 0.05") }} }} }}'
          while [ ! -e /tmp/{gate}.end ]; do sleep 0.1; done
          printf 'the very last line'
"""

SCRIPT = """
import {{ mountLog }} from "/src/log/mount.js";
import {{ Live }} from "/src/core/ws.js";
const socket = {socket} ? new Live({{ open: () => new WebSocket(`ws://${{location.host}}/ws`) }}) : null;
const sheet = document.createElement("link");
sheet.rel = "stylesheet";
sheet.href = "/part.css";
document.head.append(sheet);
const watch = () => {{
  const row = document.querySelector(".log-row.is-linked .log-x");
  if (!row?.textContent) return requestAnimationFrame(watch);
  // Behind the picture that has it.
  const channel = new MessageChannel();
  channel.port1.onmessage = () => (globalThis.painted = performance.now() - globalThis.began);
  channel.port2.postMessage(0);
}};
sheet.onload = () => {{
  globalThis.began = performance.now();
  requestAnimationFrame(watch);
  globalThis.log = mountLog(document.getElementById("host"), {{
    runId: {run}, step: "{step}", attempt: 1, label: "{step}", isLive: {live}, isFailed: {failed}, socket }});
}};
"""

# What stands in the rows, in order.
ROWS = """() => [...document.querySelectorAll(".log-row:not([hidden])")].map((row) => [
    Number(row.querySelector(".log-n").textContent), row.querySelector(".log-x").textContent, row.className, row.getBoundingClientRect().top,
  ]).sort((a, b) => a[0] - b[0])"""


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    """A controller with an agent for the logs of one file's tests."""
    stack = Stack(tmp_path_factory.mktemp("log")).start()
    stack.login()
    stack.add_agent()
    yield stack
    stack.close()


class Viewer:
    """A page with a log viewer in it. Whatever the page complains of fails the test."""

    def __init__(self, browser, stack, run, step, *, live=False, failed=False, query="", socket=True, width=1280, rate=0):
        script = SCRIPT.format(run=run, step=step, live=json.dumps(live), failed=json.dumps(failed), socket=json.dumps(socket))
        self.host = ModulePage(script, stack.url, stack.token, rate)
        self.context = browser.new_context(viewport={"width": width, "height": 800})
        self.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=self.host.url)
        self.page = self.context.new_page()
        self.faults: list[str] = []
        self.mayBreak = False
        self.page.on("console", lambda message: self.faults.append(message.text) if message.type == "error" else None)
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("response", lambda answer: self.faults.append(f"{answer.status} {answer.url}: Failed to load") if answer.status >= 400 else None)
        self.page.on("request", lambda request: self.faults.append(f"foreign: {request.url}") if not request.url.startswith((self.host.url, "ws", "data:")) else None)
        self.page.goto(f"{self.host.url}/{query}")

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.context.close()
        self.host.close()
        broken = [text for text in self.faults if not (self.mayBreak and re.search("Failed to load|WebSocket|ERR_", text))]
        if kind is None:
            assert broken == []

    def rows(self):
        return self.page.evaluate(ROWS)

    def eval(self, text):
        return self.page.evaluate(text)

    def wait(self, text, seconds=30):
        self.page.wait_for_function(text, timeout=seconds * 1000)

    def settled(self):
        self.wait("() => !document.querySelector('.log-row.is-missing:not([hidden])') && document.querySelector('.log-row:not([hidden])')")
        self.page.wait_for_timeout(250)

    def copied(self):
        self.page.keyboard.press("Control+c")
        self.wait("() => /clipboard/.test(document.querySelector('.log-note').textContent)")
        return self.eval("() => navigator.clipboard.readText()")


def live_run(stack, name, count, batch):
    gate = f"{name}-{os.getpid()}-{time.time_ns()}"
    run = stack.run(stack.pipeline(gate, LIVE.format(gate=gate, count=count, batch=batch)))["id"]
    stack.until(lambda: stack.get(f"/api/v1/pipeline-runs/{run}")["jobs"][0]["steps"][-1]["status"] == "running" or any(
        step["status"] == "running" for step in stack.get(f"/api/v1/pipeline-runs/{run}")["jobs"][0]["steps"]))
    return run, lambda word: open(f"/tmp/{gate}.{word}", "w").close(), lambda: [os.path.exists(p) and os.unlink(p) for p in (f"/tmp/{gate}.go", f"/tmp/{gate}.end")]
