"""packaging/bench."""

import argparse
import datetime
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import tempfile
import traceback

from . import backlog, compiling, idle, logs, pages, report, triggers, webhooks, yardsticks
from .common import Broken, say

ROOT = pathlib.Path(__file__).resolve().parents[3]
PROGRAMS = ["ansflow", "ansflow-controller", "ansflow-agent", "ansflow-shim"]
WORKLOADS = {
    "P1": triggers.first_instruction,
    "P2": triggers.whole_run,
    "P3": triggers.throughput,
    "P4": logs.live_line,
    "P5": logs.bulk,
    "P6": logs.bulk,
    "P7": logs.viewers,
    "P8": pages.list_page,
    "P9": pages.first_after_change,
    "P10": idle.rest,
    "P11": idle.crowd,
    "P12": backlog.long_queue,
    "WEBHOOKS": webhooks.storms,
    "P14": pages.dashboard,
    "COMPILE": compiling.compiling,
}


class Bench:
    """What all workloads of one call share."""

    def __init__(self, options, binaries, scratch):
        self.binaries = binaries
        self.scratch = scratch
        self.full = options.full
        self.repeats = max(3, options.repeats or (5 if options.full else 3))
        self.keep = options.keep
        self.stacks = 0
        self.tool, self.viewers, self.fanout = (self._compile(name) for name in ("tool", "viewers", "fanout"))

    def size(self, short, full):
        return full if self.full else short

    def _compile(self, name):
        source = pathlib.Path(__file__).parent.parent / "tools" / f"{name}.c"
        program = self.scratch / name
        subprocess.run(["gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-o", program, source], check=True)
        return str(program)


def arguments(words):
    parser = argparse.ArgumentParser(
        prog="packaging/bench",
        description="Measures a real controller and real agents on loopback. Prints one table; see docs/performance.md.",
        epilog="Examples: packaging/bench P1 P3   packaging/bench --full --json new.json --compare old.json",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"workloads, of {', '.join(WORKLOADS)}; all by default")
    parser.add_argument("--full", action="store_true", help="more repeats, longer series, 1,000 agents; about 20 minutes")
    parser.add_argument("--repeats", type=int, metavar="N", help="repeats of each workload, at least 3")
    parser.add_argument("--json", metavar="FILE", help="write machine, commit and all figures to FILE")
    parser.add_argument("--compare", metavar="OLD.json", help="print ratios; fail on a loss of more than 15 %% beyond the spread")
    parser.add_argument("--binaries", metavar="DIR", help="use the programs in DIR instead of building release ones")
    parser.add_argument("--data", metavar="DIR", default="/var/tmp", help="where the temporary data directories go; /var/tmp")
    parser.add_argument("--keep", action="store_true", help="keep the temporary directories")
    options = parser.parse_args(words)
    for name in options.names:
        if name.upper() not in WORKLOADS:
            parser.error(f"there is no workload {name}; there are {', '.join(WORKLOADS)}")
    return options


def build():
    """Builds release programs with SwiftPM's own progress; returns their directory."""
    for product in PROGRAMS:
        say(f"building {product} (the first time, all of them take about 10 minutes)")
        subprocess.run(
            ["swift", "build", "-c", "release", "--product", product, "--static-swift-stdlib"],
            cwd=ROOT, check=True, stdout=sys.stderr,
        )
    return ROOT / ".build" / "release"


def machine():
    facts = {"system": platform.platform(), "cores": os.cpu_count(), "python": platform.python_version()}
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            facts["processor"] = line.split(":", 1)[1].strip()
            break
    facts["memory_mb"] = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 10**6
    facts["load_before"] = os.getloadavg()[0]
    return facts


def commit(place):
    """The commit of the tree that the programs lie in; "unknown" where they lie in none."""

    def git(*words):
        return subprocess.run(["git", *words], cwd=place, capture_output=True, text=True).stdout.strip()

    head = git("rev-parse", "HEAD")
    return head + ("+changes" if git("status", "--porcelain", "--untracked-files=no") else "") if head else "unknown"


def measure(bench, names):
    """Runs the workloads; one that breaks does not hinder the others."""
    figures, broken, done = [], {}, set()
    for name in names:
        workload = WORKLOADS[name]
        if workload in done:
            continue
        done.add(workload)
        say(f"{name} ...")
        try:
            figures += workload(bench)
        except Exception as error:  # One workload's trouble must not cost the figures of the others.
            broken[name] = f"{type(error).__name__}: {error}"
            say(f"{name} could not be measured: {broken[name]}")
            if not isinstance(error, Broken):
                traceback.print_exc(file=sys.stderr)
    return figures, broken


def main(words):
    options = arguments(words)
    for program in ["gcc", "openssl", "wrk"]:
        if shutil.which(program) is None:
            say(f"{program} is missing. Install it: apt-get install gcc openssl wrk")
            return 2
    old = report.read(options.compare) if options.compare else None
    binaries = pathlib.Path(options.binaries).resolve() if options.binaries else build()
    for program in PROGRAMS:
        if not (binaries / program).exists():
            say(f"{binaries}/{program} does not exist. Build it, or leave --binaries out.")
            return 2
    wanted = [name.upper() for name in options.names]
    names = [name for name in WORKLOADS if not wanted or name in wanted]
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="ansbench-", dir=options.data))
    try:
        bench = Bench(options, binaries, scratch)
        run = {
            "at": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
            "commit": commit(binaries),
            "binaries": str(options.binaries or "release"),
            "form": "full" if options.full else "short",
            "machine": machine(),
            "yardsticks": [vars(item) for item in yardsticks.machine_speed(bench)],
        }
        figures, broken = measure(bench, names)
        run["figures"] = [figure.record() for figure in figures]
        run["broken"] = broken
    finally:
        if options.keep:
            say(f"kept: {scratch}")
        else:
            shutil.rmtree(scratch, ignore_errors=True)
    return finish(run, options, old)


def finish(run, options, old):
    facts = run["machine"]
    print(f"AnsFlow {run['commit'][:12]}, {run['form']} form, {run['at']}")
    print(f"{facts.get('processor', '?')}, {facts['cores']} cores, load before {facts['load_before']:.1f}")
    for item in run["yardsticks"]:
        print(f"  {item['name']}: {report.number(item['value'])} {item['unit']}")
    print()
    print(report.figures_table(run["figures"]))
    for name, why in run["broken"].items():
        print(f"{name} could not be measured: {why}")
    if options.json:
        report.write(options.json, run)
    status = 1 if run["broken"] else 0
    if old:
        text, lost = report.compare(old, run)
        print(f"\nAgainst {old['commit'][:12]} of {old['at']}:\n{text}")
        if lost:
            print(f"Worse by more than 15 % beyond the spread: {', '.join(lost)}")
            status = 1
    return status
