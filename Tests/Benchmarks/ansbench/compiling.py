"""COMPILE: what it costs to compile a definition of the largest size that is allowed."""

import os
import subprocess
import sys
import time

from .common import Broken, Figure, Yardstick, say

STEPS = 1_000


def definition(steps):
    """Jobs of ten steps each, with a condition, variables, outputs and edges between jobs and steps."""
    lines = ["name: large", "inputs:", "  level: { type: choice, options: [debug, release], default: debug }", "jobs:"]
    for job in range(steps // 10 or 1):
        lines += [f"  job{job}:", "    agents: { os: linux }", f"    env: {{ JOB: 'number-{job}' }}"]
        if job:
            lines.append(f"    needs: [job{(job - 1) // 2}]")
        lines.append("    steps:")
        for step in range(min(steps, 10)):
            needs = f", needs: [s{step - 1}]" if step else ""
            lines.append(
                f"      - {{ id: s{step}, run: './build.sh {job} {step} --all', timeout: 10m, retry: {{ max: 1, exit_codes: [75] }},"
                f" env: {{ LEVEL: \"${{{{ inputs.level }}}}\" }}, if: \"inputs.level == 'debug' || branch == 'main'\"{needs} }}"
            )
    return "\n".join(lines) + "\n"


# A process's peak is never less than that of the one that started it: a small one stands between.
PEAK = """
import os, sys
child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)])
_, status, usage = os.wait4(child, 0)
print(usage.ru_maxrss)
sys.exit(os.waitstatus_to_exitcode(status))
"""


def validate(program, file):
    """Wall seconds of one `ansflow validate`."""
    began = time.perf_counter()
    process = subprocess.run([program, "validate", "--json", file], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    took = time.perf_counter() - began
    if process.returncode != 0:
        raise Broken(f"validate ended with {process.returncode}: {process.stdout[:500].decode(errors='replace')}")
    return took


def peak(program, file):
    """Peak MB of one `ansflow validate`."""
    command = [sys.executable, "-S", "-E", "-c", PEAK, program, "validate", "--json", str(file)]
    return int(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout) * 1024 / 1e6


def compiling(bench):
    """COMPILE: `ansflow validate` of 1,000 steps less the same of one step: reading, checking, compiling and the printed graph."""
    program = str(bench.binaries / "ansflow")
    times, peaks, starts = [], [], []
    files = {}
    for steps in (1, STEPS):
        files[steps] = bench.scratch / f"definition-{steps}.yml"
        files[steps].write_text(definition(steps))
    validate(program, files[STEPS])
    for repeat in range(bench.repeats * 3):
        small = validate(program, files[1])
        starts.append(small * 1000)
        times.append((validate(program, files[STEPS]) - small) * 1000)
        peaks.append(peak(program, files[STEPS]) - peak(program, files[1]))
    say(f"COMPILE: {sorted(times)[len(times) // 2]:.1f} ms, {sorted(peaks)[len(peaks) // 2]:.1f} MB over one step's")
    yard = Yardstick("validate of one step, whole process", sorted(starts)[len(starts) // 2], "ms")
    return [
        Figure("COMPILE", f"compile {STEPS} steps, time", "ms", times, "low", 50.0, yard),
        Figure("COMPILE", f"compile {STEPS} steps, memory", "MB", peaks, "low", 20.0),
    ]
