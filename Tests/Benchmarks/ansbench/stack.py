"""A real controller and real agents on loopback, in directories of their own."""

import os
import pathlib
import resource
import shutil
import signal
import socket
import subprocess
import time

from .client import Connection, LiveSocket
from .common import Broken

PASSWORD = "benchmark-password-of-one-run"
ENDED_RUN = ("success", "warning", "failed", "cancelled", "skipped")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def memory(pid):
    """Resident, anonymous and peak resident memory of a process, in MB (10^6 bytes)."""
    fields = {}
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        name, _, value = line.partition(":")
        fields[name] = value.split()
    return {
        "resident": int(fields["VmRSS"][0]) * 1024 / 1e6,
        "anonymous": int(fields["RssAnon"][0]) * 1024 / 1e6,
        "peak": int(fields["VmHWM"][0]) * 1024 / 1e6,
    }


def reset_peak(pid):
    """Lets the kernel count the peak of a process's memory from now on."""
    pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5")


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def children(pid):
    """The live children of a process."""
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            found += [int(word) for word in (task / "children").read_text().split()]
        except OSError:
            pass
    return found


class Agent:
    """One `ansflow-agent run`."""

    def __init__(self, stack, name, labels, slots):
        self.directory = stack.directory / name
        self.log = stack.directory / f"{name}.log"
        token = stack.api.call("POST", "/api/v1/agents/enrolment-tokens", {})["token"]
        with open(self.log, "ab") as log:
            subprocess.run(
                [
                    stack.program("ansflow-agent"), "enrol", "--controller", f"https://127.0.0.1:{stack.agent_port}",
                    "--token", token, "--data-dir", self.directory, "--name", name, "--labels", labels, "--slots", str(slots),
                ],
                check=True, stdout=log, stderr=log, timeout=60,
            )
            self.process = subprocess.Popen(
                [stack.program("ansflow-agent"), "run", "--data-dir", self.directory], stdout=log, stderr=log
            )

    @property
    def pid(self):
        return self.process.pid

    def shims(self):
        """Processes of the shim that belong to this agent's directory, also those that an agent left."""
        mark = str(self.directory).encode()
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if words and words[0].endswith(b"ansflow-shim") and any(mark in word for word in words[1:]):
                found.append(int(entry.name))
        return found or [
            pid for pid in children(self.pid) if pathlib.Path(f"/proc/{pid}/comm").read_text().startswith("ansflow-shim")
        ]


class Stack:
    """Starts a controller; `with` ends everything that was started and removes its files."""

    def __init__(self, bench, options=()):
        self.bench = bench
        self.options = options
        bench.stacks += 1
        self.directory = bench.scratch / f"s{bench.stacks}"
        self.directory.mkdir()
        self.agents = []
        self.sockets = []
        self.port, self.agent_port = free_port(), free_port()
        self.controller = None
        self.api = Connection(self.port)

    def program(self, name):
        return str(self.bench.binaries / name)

    def __enter__(self):
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _start(self):
        self.launch()
        pair = self.api.call("POST", "/api/v1/auth/login", {"username": "admin", "password": PASSWORD})
        self.api.token = pair["access_token"]
        # A key lives longer than an access token, and is what scripts use.
        scopes = ["read", "run", "write", "admin"]
        self.token = self.api.call("POST", "/api/v1/api-keys", {"name": "bench", "scopes": scopes})["key"]
        self.api.token = self.token

    def launch(self):
        """Starts the controller, the first time or again, and waits until it is ready."""
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        self.log = self.directory / "controller.log"
        with open(self.log, "ab") as log:
            self.controller = subprocess.Popen(
                [
                    self.program("ansflow-controller"), "serve", "--data-dir", self.directory / "controller",
                    "--listen", f"127.0.0.1:{self.port}", "--agent-listen", f"127.0.0.1:{self.agent_port}",
                    # Each request is still counted.
                    "--limit-user", "1000000",
                    *self.options,
                ],
                stdout=log, stderr=log, env={**os.environ, "ANSFLOW_ADMIN_PASSWORD": PASSWORD},
                preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard)),
            )
        deadline = time.monotonic() + 60
        while True:
            if self.controller.poll() is not None or time.monotonic() > deadline:
                raise Broken(f"The controller did not start: {self.tail()}")
            try:
                self.api.call("GET", "/health/ready")
                break
            except (OSError, Broken):
                self.api.close()
                time.sleep(0.05)

    def tail(self):
        try:
            return self.log.read_text(errors="replace")[-2000:]
        except OSError:
            return ""

    def __exit__(self, *_):
        for live in self.sockets:
            live.close()
        for agent in self.agents:
            self.end(agent.process)
        if self.controller:
            self.end(self.controller)
        leftover = [pid for agent in self.agents for pid in self._leftover(agent)]
        self.api.close()
        if not self.bench.keep:
            shutil.rmtree(self.directory, ignore_errors=True)
        for pid in leftover:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    @staticmethod
    def _leftover(agent):
        try:
            return agent.shims()
        except OSError:
            return []

    @staticmethod
    def end(process):
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def agent(self, name, labels="bench=one", slots=1):
        agent = Agent(self, name, labels, slots)
        self.agents.append(agent)
        deadline = time.monotonic() + 60
        while not self._is_connected(name):
            if agent.process.poll() is not None or time.monotonic() > deadline:
                raise Broken(f"Agent {name} did not connect: {agent.log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.05)
        return agent

    def _is_connected(self, name):
        for item in self.api.call("GET", "/api/v1/agents")["items"]:
            if item["name"] == name:
                return bool(item.get("connected", item.get("status") == "online"))
        return False

    def pipeline(self, name, command, label="one", extra="", job=""):
        """Saves a pipeline of one job with one step; returns its id. `extra` are lines of the step, `job` of the job."""
        definition = (
            f"name: {name}\njobs:\n  main:\n    agents: {{ bench: {label} }}\n{job}"
            f"    steps:\n      - id: only\n        run: {command!r}\n{extra}"
        )
        return self.api.call("POST", "/api/v1/pipelines", {"name": name, "definition": definition})["id"]

    def live(self, path):
        live = LiveSocket(self.port, path, self.token)
        self.sockets.append(live)
        live.await_snapshot()
        return live

    def connection(self):
        return Connection(self.port, self.token)

    def start(self, pipeline):
        return self.api.call("POST", f"/api/v1/pipelines/{pipeline}/runs", {})["id"]
