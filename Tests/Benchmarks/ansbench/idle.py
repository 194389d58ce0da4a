"""P10 and P11: what AnsFlow costs while nothing happens."""

import json
import pathlib
import subprocess
import sys
import time

from . import yardsticks
from .common import Broken, Figure, Yardstick, say
from .stack import Stack, cpu_seconds, memory
from .triggers import series


def rest(bench):
    """P10."""
    wait = bench.size(10, 60)
    found = {name: [] for name in ("controller", "agent", "agent_own", "shim", "shim_own")}
    base = yardsticks.idle_tls_server(bench)
    for repeat in range(bench.repeats):
        with Stack(bench) as stack:
            agent = stack.agent("one")
            # Whatever is made at first use is there after a run.
            series(stack, stack.pipeline("p10", "true"), 3)
            time.sleep(wait)
            shims = agent.shims()
            if not shims:
                raise Broken("The agent keeps no warm shim.")
            controller, own = memory(stack.controller.pid), memory(agent.pid)
            # The others are the parked children, which become the steps.
            shim = max((memory(pid) for pid in shims), key=lambda found: found["resident"])
        found["controller"].append(controller["resident"])
        found["agent"].append(own["resident"])
        found["agent_own"].append(own["anonymous"])
        found["shim"].append(shim["resident"])
        found["shim_own"].append(shim["anonymous"])
        say(
            f"P10 repeat {repeat + 1}: controller {controller['resident']:.1f} MB ({controller['anonymous']:.1f} own), agent "
            f"{own['resident']:.1f} ({own['anonymous']:.1f} own), shim {shim['resident']:.1f} ({shim['anonymous']:.1f} own)"
        )
    note = f"{wait} s after the last run"
    return [
        Figure("P10", "controller, resident", "MB", found["controller"], "low", 48, base, note),
        Figure("P10", "agent, resident", "MB", found["agent"], "low", 28, base, note),
        Figure("P10", "agent, anonymous", "MB", found["agent_own"], "low", 6, None, note),
        Figure("P10", "warm shim, resident", "MB", found["shim"], "low", 5, None, note),
        Figure("P10", "warm shim, anonymous", "MB", found["shim_own"], "low", 1.0, None, note),
    ]


def crowd(bench):
    """P11."""
    count = bench.size(200, 1000)
    window = bench.size(20, 60)
    resident, cpu = [], []
    with Stack(bench) as stack:
        alone = memory(stack.controller.pid)["resident"]
        process = subprocess.Popen(
            [
                sys.executable, "-m", "ansbench.fake_agents", str(stack.port), str(stack.agent_port), stack.token, str(count),
                str(stack.directory / "fake"),
            ],
            cwd=pathlib.Path(__file__).parent.parent, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        try:
            start = time.monotonic()
            if process.stdout.readline().strip() != "ready":
                raise Broken("The agents could not be connected.")
            say(f"P11: {count} agents enrolled and connected in {time.monotonic() - start:.0f} s")
            time.sleep(10)
            for repeat in range(bench.repeats):
                before = cpu_seconds(stack.controller.pid)
                time.sleep(window)
                cpu.append((cpu_seconds(stack.controller.pid) - before) / window * 100)
                resident.append(memory(stack.controller.pid)["resident"])
                say(f"P11 repeat {repeat + 1}: {resident[-1]:.1f} MB, {cpu[-1]:.2f} % of a core")
            items = stack.api.call("GET", "/api/v1/agents")["items"]
            connected = sum(1 for item in items if item.get("connected"))
            if connected != count:
                raise Broken(f"{connected} of {count} agents are connected.")
        finally:
            process.stdin.close()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
    each = (sorted(resident)[len(resident) // 2] - alone) * 1000 / count
    note = f"{count} agents; the target is for 1,000; {each:.0f} kB each"
    base = Yardstick("the same controller before", alone, "MB")
    return [
        Figure("P11", f"controller with {count} idle agents", "MB", resident, "low", 160, base, note),
        Figure("P11", f"CPU with {count} idle agents", "% of a core", cpu, "low", 3.0, None, note),
    ]
