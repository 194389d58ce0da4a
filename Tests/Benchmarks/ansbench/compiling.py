"""COMPILE: what it costs to compile a definition of the largest size that is allowed."""

import os
import subprocess
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


def validate(program, file):
    """Wall seconds and peak MB of one `ansflow validate`."""
    began = time.perf_counter()
    process = subprocess.Popen([program, "validate", "--json", file], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    text = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    took = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise Broken(f"validate ended with {process.returncode}: {text[:500].decode(errors='replace')}")
    return took, usage.ru_maxrss * 1024 / 1e6


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
        small, small_peak = validate(program, files[1])
        large, large_peak = validate(program, files[STEPS])
        starts.append(small * 1000)
        times.append((large - small) * 1000)
        peaks.append(large_peak - small_peak)
    say(f"COMPILE: {sorted(times)[len(times) // 2]:.1f} ms, {sorted(peaks)[len(peaks) // 2]:.1f} MB over one step's")
    yard = Yardstick("validate of one step, whole process", sorted(starts)[len(starts) // 2], "ms")
    return [
        Figure("COMPILE", f"compile {STEPS} steps, time", "ms", times, "low", 50.0, yard),
        Figure("COMPILE", f"compile {STEPS} steps, memory", "MB", peaks, "low", 20.0),
    ]
