"""What every journey runs in: a real controller with a real agent, Chromium, and a page that fails on whatever a person would not see."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from stack import PASSWORD, ROOT, Stack  # noqa: E402

CHROMIUM = os.environ.get("ANSFLOW_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
RESULTS = pathlib.Path(os.environ.get("ANSFLOW_BROWSER_RESULTS") or ROOT / ".build/browser")

CI = """
inputs:
  region: {type: choice, options: [eu, us], default: eu, description: Where it goes}
  count: {type: number, default: 2}
jobs:
  build:
    steps:
      - {id: compile, run: "echo compiling"}
      - {id: pack, needs: [compile], run: "echo packing"}
  test:
    needs: [build]
    steps: [{id: unit, run: "echo all good"}]
"""
FAILING = """
jobs:
  database:
    steps:
      - {id: start, run: "echo starting"}
      - {id: query, needs: [start], run: "echo connecting; echo 'error: connection refused'; exit 3"}
"""
LONG = """
jobs:
  long:
    steps:
      - {id: wait, run: "echo begun; sleep 600"}
      - {id: beside, needs: [], run: "echo beside; sleep 600"}
"""
GATED = """
jobs:
  check:
    steps: [{id: look, run: "echo fine"}]
  ship:
    needs: [check]
    approval: {message: "Ship it?"}
    steps: [{id: go, run: "echo gone"}]
"""
UNPLACED = """
jobs:
  train:
    agents: {gpu: h100}
    steps: [{id: fit, run: "true"}]
"""


@pytest.fixture(scope="session")
def stack():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="ansflow-browser-"))
    options = ["--web-root", os.environ["ANSFLOW_WEB_ROOT"]] if os.environ.get("ANSFLOW_WEB_ROOT") else []
    # Notices of the tests go to a server of their own.
    stack = Stack(folder, "--outgoing-allow", "127.0.0.1", *options)
    try:
        stack.start().login()
        stack.add_agent()
        yield stack
    finally:
        stack.close()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def pipelines(stack: Stack) -> dict[str, int]:
    texts = {"ci": CI, "failing": FAILING, "long": LONG, "gated": GATED, "unplaced": UNPLACED}
    return {name: stack.pipeline(name, text) for name, text in texts.items()}


@pytest.fixture(scope="session")
def browser():
    if not CHROMIUM:
        pytest.fail("there is no Chromium here: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--force-color-profile=srgb", "--enable-precise-memory-info"])
        yield browser
        browser.close()


class Watch:
    """Notes what no page may do. A test that provokes an answer on purpose says so with `allow`."""

    def __init__(self, origin: str):
        self.origin = origin
        self.faults: list[str] = []
        self.allowed: list[str] = []

    def attach(self, page: Page) -> None:
        page.on("console", lambda m: self.note(f"console {m.type}: {m.text} {m.location.get('url', '')}") if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda e: self.note(f"error: {e}"))
        page.on("request", lambda r: None if r.url.startswith((self.origin, self.origin.replace("http", "ws"), "data:")) else self.note(f"third party: {r.url}"))
        page.on("response", lambda r: self.note(f"status {r.status}: {r.url}") if r.status >= 400 else None)
        page.on("websocket", lambda s: None if s.url.startswith(self.origin.replace("http", "ws")) else self.note(f"third party: {s.url}"))

    def note(self, text: str) -> None:
        self.faults.append(text)

    def allow(self, *parts: str) -> None:
        """What holds one of these is expected in this test."""
        self.allowed += parts

    def check(self) -> None:
        left = [fault for fault in self.faults if not any(part in fault for part in self.allowed)]
        assert not left, "\n".join(left)


@pytest.fixture
def context(browser: Browser, stack: Stack):
    context = browser.new_context(
        base_url=stack.url, viewport={"width": 1280, "height": 900}, locale="en-GB", timezone_id="UTC", reduced_motion="reduce")
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=stack.url)
    context.set_default_timeout(15_000)
    yield context
    context.close()


@pytest.fixture
def watch(stack: Stack) -> Watch:
    return Watch(stack.url)


@pytest.fixture
def stranger(context: BrowserContext, watch: Watch):
    """A page of nobody."""
    page = context.new_page()
    watch.attach(page)
    yield page
    watch.check()


@pytest.fixture
def page(context: BrowserContext, watch: Watch, request):
    """A page of the administrator."""
    page = context.new_page()
    log_in(page)
    watch.attach(page)
    yield page
    if getattr(request.node, "failed", False):
        RESULTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=str(RESULTS / f"{request.node.name}.png"))
    watch.check()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    if outcome.get_result().when == "call" and outcome.get_result().failed:
        item.failed = True


def log_in(page: Page, name: str = "admin", password: str = PASSWORD) -> None:
    page.goto("/login")
    page.fill("#username", name)
    page.fill("#password", password)
    page.click("button[type=submit]")
    page.wait_for_url("**/")
    live(page)


def live(page: Page) -> None:
    page.locator("#live[data-state=live]").wait_for()
