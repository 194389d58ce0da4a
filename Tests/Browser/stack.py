"""A real controller with a real agent, on free ports of loopback and in directories of its own."""
import json
import os
import pathlib
import signal
import subprocess
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
PASSWORD = "correct horse battery"


def programs() -> pathlib.Path:
    return pathlib.Path(os.environ.get("ANSFLOW_BIN_DIR") or ROOT / ".build/debug")


class Failure(Exception):
    """An answer that was not expected."""

    def __init__(self, status: int, text: str):
        super().__init__(f"{status}: {text}")
        self.status = status


class Stack:
    """Starts, stops, kills and calls them. Nothing outlives `close`."""

    def __init__(self, folder: pathlib.Path, *options: str, listen: str = "127.0.0.1:0", agents: str = "127.0.0.1:0"):
        self.folder = folder
        self.options = list(options)
        self.listen, self.agent_listen = listen, agents
        self.token = ""
        self.controller: subprocess.Popen | None = None
        self.agents: list[subprocess.Popen] = []
        self.url = self.agent_url = ""

    # Processes

    def start(self, password: str = PASSWORD) -> "Stack":
        """Starts the controller; the second time on the same ports."""
        self.folder.mkdir(parents=True, exist_ok=True)
        log = open(self.folder / "controller.log", "ab")
        out = self.folder / "controller.out"
        out.write_text("")
        environment = {**os.environ}
        if password:
            environment["ANSFLOW_ADMIN_PASSWORD"] = password
        else:
            environment.pop("ANSFLOW_ADMIN_PASSWORD", None)
        self.controller = subprocess.Popen(
            [str(programs() / "ansflow-controller"), "serve", "--data-dir", str(self.folder / "controller"), "--listen", self.listen,
             "--agent-listen", self.agent_listen, "--allow-local-repositories", *self.options],
            stdout=open(out, "wb"), stderr=log, env=environment)
        deadline = time.monotonic() + 60
        while "ready" not in out.read_text().split("\n"):
            if self.controller.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the controller did not start: {(self.folder / 'controller.log').read_text()[-2000:]}")
            time.sleep(0.05)
        lines = dict(line.split(": ", 1) for line in out.read_text().split("\n") if ": " in line)
        self.url, self.agent_url = lines["listening"], lines["agents"]
        self.listen, self.agent_listen = self.url.split("//")[1], self.agent_url.split("//")[1]
        self.printed = lines.get("administrator", "").split("password: ")[-1]
        return self

    def kill(self) -> None:
        """As a crash does."""
        assert self.controller
        self.controller.kill()
        self.controller.wait()

    def add_agent(self, name: str = "linux-1", labels: str = "", slots: int = 2) -> None:
        token = self.post("/api/v1/agents/enrolment-tokens", {})["token"]
        data = self.folder / name
        enrol = [str(programs() / "ansflow-agent"), "enrol", "--controller", self.agent_url, "--token", token, "--data-dir", str(data),
                 "--name", name, "--slots", str(slots)]
        subprocess.run(enrol + (["--labels", labels] if labels else []), check=True, capture_output=True, timeout=60)
        self.run_agent(name)

    def run_agent(self, name: str) -> None:
        """One that was enrolled before."""
        log, data = open(self.folder / f"{name}.log", "ab"), self.folder / name
        self.agents.append(subprocess.Popen(
            [str(programs() / "ansflow-agent"), "run", "--data-dir", str(data)], stdout=log, stderr=log))
        self.until(lambda: any(a["name"] == name and a["connected"] for a in self.get("/api/v1/agents")["items"]))

    def close(self) -> None:
        for process in [*self.agents, self.controller]:
            if process and process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in [*self.agents, self.controller]:
            if not process:
                continue
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    # Calls

    def call(self, method: str, path: str, body=None, headers: dict | None = None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json", **(headers or {})}, method=method)
        if self.token:
            request.add_header("Authorization", f"Bearer {self.token}")
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            raise Failure(error.code, error.read().decode()) from None
        return json.loads(text) if text else None

    def get(self, path: str):
        return self.call("GET", path)

    def post(self, path: str, body):
        return self.call("POST", path, body)

    def login(self, username: str = "admin", password: str = PASSWORD) -> str:
        token, self.token = self.token, ""
        try:
            access = self.post("/api/v1/auth/login", {"username": username, "password": password})["access_token"]
        except Exception:
            self.token = token
            raise
        self.token = access
        # A key outlives the 15 minutes of an access token.
        self.token = self.post("/api/v1/api-keys", {"name": f"tests {time.time_ns()}", "scopes": ["read", "run", "write", "admin"]})["key"]
        return self.token

    @staticmethod
    def until(condition, seconds: float = 60, what: str = "") -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError(what or "what was waited for did not come")
            time.sleep(0.1)

    # Things

    def pipeline(self, name: str, definition: str, project: int = 1) -> int:
        return self.post("/api/v1/pipelines", {"name": name, "project_id": project, "definition": definition})["id"]

    def run(self, pipeline: int, **body) -> dict:
        return self.post(f"/api/v1/pipelines/{pipeline}/runs", body)

    def finished(self, run: int, seconds: float = 90) -> dict:
        self.until(lambda: self.get(f"/api/v1/pipeline-runs/{run}")["phase"] == "finished", seconds, f"run {run} did not end")
        return self.get(f"/api/v1/pipeline-runs/{run}")
