"""Who is told of what: rules, targets, a test, and what became of it."""
import http.server
import json
import threading

import pytest
from playwright.sync_api import Page, expect

from checks import HOSTILE, accessible, settle
from conftest import PASSWORD, Watch, log_in
from stack import Stack


class Receiver:
    """Takes what is sent to it; answers as it is told."""

    def __init__(self):
        self.got: list[dict] = []
        self.status = 200
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                outer.got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(outer.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/in/secret-path"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture(scope="module")
def project(stack: Stack) -> int:
    made = stack.post("/api/v1/projects", {"name": "told", "description": ""})["id"]
    steps = "jobs:\n  only:\n    steps: [{id: end, run: \"exit 1\"}]\n"
    stack.pipeline("bad", steps, made)
    stack.pipeline("other", steps, made)
    stack.post(f"/api/v1/projects/{made}/secrets", {"name": "CHAT_URL", "value": "https://chat.example.org/in"})
    return made


def act(page: Page, name: str, what: str) -> None:
    page.get_by_role("button", name=f"Actions for {name}").click()
    page.get_by_role("menuitem", name=what).click()


def test_rules_and_targets_are_made_tried_changed_and_removed(page: Page, stack: Stack, project: int, receiver: Receiver, watch: Watch):
    watch.allow("422")
    page.goto("/p/told")
    settle(page)
    page.get_by_role("link", name="Notices").click()
    settle(page)
    rules, targets = page.get_by_role("region", name="Rules"), page.get_by_role("region", name="Targets")
    expect(rules).to_contain_text("No rules")
    expect(targets).to_contain_text("No targets")
    assert not accessible(page)

    # A target: what is wrong is said beside its field.
    targets.get_by_role("button", name="New target").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("hook")
    dialog.get_by_role("button", name="Make").click()
    expect(dialog.locator("[data-field=url] .fault")).to_contain_text("Give either")
    dialog.get_by_label("Address").fill(receiver.url)
    assert not accessible(page)
    dialog.get_by_role("button", name="Make").click()
    row = targets.locator("tbody tr", has_text="hook")
    expect(row).to_contain_text("http://127.0.0.1")
    assert "secret-path" not in page.content()

    # A rule that goes nowhere is refused; then it goes there, for one pipeline.
    rules.get_by_role("button", name="New rule").click()
    dialog.get_by_label("Name").fill("team")
    dialog.get_by_label("Show it in the application").uncheck()
    dialog.get_by_label("A run is good again").uncheck()
    dialog.get_by_label("Pipeline").select_option("bad")
    dialog.get_by_role("button", name="Make").click()
    expect(dialog.locator("[data-field=webhook] .fault")).to_contain_text("goes nowhere")
    dialog.get_by_label("Send it to").select_option("hook")
    assert not accessible(page)
    dialog.get_by_role("button", name="Make").click()
    row = rules.locator("tbody tr", has_text="team")
    for part in ["failed", "bad", "hook", "on"]:
        expect(row).to_contain_text(part)
    made = stack.get(f"/api/v1/notification-rules?project_id={project}")["items"][0]
    assert made["on"] == ["failed"] and made["webhook"] == "hook" and not made["in_app"] and made["pipeline_id"]

    # Tried: it arrives, or it is said why not.
    act(page, "team", "Send a test")
    expect(page.locator(".toast", has_text="The test arrived")).to_be_visible()
    assert len(receiver.got) == 1
    receiver.status = 404
    act(page, "team", "Send a test")
    expect(page.locator(".toast.is-bad")).to_contain_text("The test did not arrive")
    expect(page.locator(".toast.is-bad")).to_contain_text("404")
    page.locator(".toast.is-bad").get_by_role("button", name="Close").click()
    receiver.status = 200

    # What it sends stands in its log, and leads to the run.
    run = stack.finished(stack.run(made["pipeline_id"])["id"])
    log = page.get_by_role("region", name="Deliveries")
    expect(log.locator("tbody tr")).to_have_count(1, timeout=30_000)
    expect(log.locator("tbody tr")).to_contain_text("Arrived", timeout=30_000)
    expect(log.get_by_role("link")).to_have_attribute("href", f"/p/told/bad/runs/{run['number']}")
    assert receiver.got[-1]["type"] == "ansflow.failed"
    assert not accessible(page)

    # Changed: for all pipelines now, in the application too; what somebody else changed meanwhile is not lost.
    act(page, "team", "Change…")
    expect(dialog.get_by_label("Pipeline")).to_have_value(str(made["pipeline_id"]))
    dialog.get_by_label("Pipeline").select_option("")
    dialog.get_by_label("Show it in the application").check()
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_have_count(0)
    expect(row).to_contain_text("the application, hook")
    expect(row).to_contain_text("all")
    assert stack.get(f"/api/v1/notification-rules/{made['id']}")["pipeline_id"] is None
    act(page, "team", "Switch off")
    expect(row.locator("td").nth(4)).to_have_text("off")

    # The target takes its address from a secret now. While a rule uses it, it stays.
    act(page, "hook", "Change…")
    dialog.get_by_label("Or the secret that holds it").select_option("CHAT_URL")
    dialog.get_by_role("button", name="Save").click()
    expect(targets.locator("tbody tr")).to_contain_text("in the secret CHAT_URL")


def test_a_target_in_use_stays_and_a_change_of_somebody_else_is_not_lost(page: Page, stack: Stack, project: int, watch: Watch):
    base = f"/api/v1/projects/{project}/notification-targets"
    target = stack.post(base, {"name": f"x {HOSTILE}"[:64], "url_secret": "CHAT_URL", "format": "slack"})
    rule = stack.post("/api/v1/notification-rules", {"name": "mine <b>", "on": ["always"], "webhook": target["name"], "project_id": project})
    page.goto("/p/told/-/notifications")
    settle(page)
    assert page.locator("main img").count() == 0
    watch.allow("409", "412")
    act(page, target["name"], "Delete…")
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Delete").click()
    expect(dialog.get_by_role("alert")).to_contain_text("A notification rule uses this target")
    page.keyboard.press("Escape")
    act(page, "mine <b>", "Change…")
    dialog.get_by_label("Name").fill("ours")
    stack.call("PUT", f"/api/v1/notification-rules/{rule['id']}", {"name": "theirs"})
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("alert")).to_be_visible()
    page.keyboard.press("Escape")
    page.reload()
    settle(page)
    act(page, "theirs", "Delete…")
    dialog.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("region", name="Rules")).not_to_contain_text("theirs")
    act(page, target["name"], "Delete…")
    dialog.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("region", name="Targets")).not_to_contain_text("onerror")


def test_a_viewer_sees_who_is_told_and_changes_nothing(browser, stack: Stack, project: int, watch: Watch):
    user = stack.post("/api/v1/users", {"username": "onlooker", "password": PASSWORD})["id"]
    stack.call("PUT", f"/api/v1/projects/{project}/members/{user}", {"role": "viewer"})
    context = browser.new_context(base_url=stack.url)
    page = context.new_page()
    log_in(page, "onlooker")
    watch.attach(page)
    page.goto("/p/told/-/notifications")
    settle(page)
    button = page.get_by_role("button", name="New rule")
    expect(button).to_be_disabled()
    assert "maintainer" in (button.get_attribute("title") or "")
    context.close()
    watch.check()
