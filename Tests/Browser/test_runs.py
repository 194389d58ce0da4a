"""Journeys 3 to 8: the list, its filters, starting, watching, cancelling, repeating, approving."""
import re
import time

import pytest
from playwright.sync_api import Page, expect

from conftest import Watch, live
from stack import Stack


def open_run(page: Page, stack: Stack, run: dict, query: str = "") -> None:
    page.goto(f"/p/main/{run['pipeline_name']}/runs/{run['number']}{query}")
    live(page)


def test_new_runs_wait_above_the_list_and_move_nothing(page: Page, stack: Stack, pipelines):
    stack.finished(stack.run(pipelines["ci"])["id"])
    page.goto("/runs")
    live(page)
    rows = page.locator(".run-row")
    first = rows.first.get_attribute("data-run")
    rows.first.get_by_role("button", name=re.compile("Actions")).click()
    expect(page.get_by_role("menu")).to_be_visible()
    place = rows.first.bounding_box()
    new = stack.finished(stack.run(pipelines["ci"])["id"])
    fresh = page.get_by_role("button", name=re.compile("new execution"))
    expect(fresh).to_be_visible()
    assert rows.first.get_attribute("data-run") == first
    expect(page.get_by_role("menu")).to_be_visible()
    expect(page.get_by_role("menuitem", name="Open")).to_be_focused()
    assert place and rows.first.bounding_box() == place
    page.keyboard.press("Escape")
    fresh.click()
    expect(rows.first).to_have_attribute("data-run", str(new["id"]))


def test_states_change_in_place(page: Page, stack: Stack, pipelines):
    run = stack.run(pipelines["long"])
    page.goto("/runs")
    live(page)
    row = page.locator(f".run-row[data-run='{run['id']}']")
    expect(row.locator(".status")).to_contain_text("Running")
    page.keyboard.press("Escape")
    stack.post(f"/api/v1/pipeline-runs/{run['id']}/cancel", {})
    expect(row.locator(".status")).to_contain_text("Cancelled")


def test_filters_are_in_the_address(page: Page, stack: Stack, pipelines):
    stack.finished(stack.run(pipelines["failing"])["id"])
    page.goto("/runs")
    live(page)
    page.get_by_label("State").select_option("failed")
    page.wait_for_url("**/runs?state=failed")
    total = stack.get("/api/v1/pipeline-runs?status=failed")["total"]
    expect(page.locator(".pager")).to_contain_text(f"of {total}")
    page.get_by_role("combobox", name="Pipeline", exact=True).select_option("failing")
    page.wait_for_url("**/runs?state=failed&pipeline=failing")
    expect(page.locator(".run-row").first).to_contain_text("failing")
    page.go_back()
    page.wait_for_url("**/runs?state=failed")
    expect(page.get_by_role("combobox", name="Pipeline", exact=True)).to_have_value("")
    page.go_forward()
    page.wait_for_url("**/runs?state=failed&pipeline=failing")
    expect(page.get_by_role("combobox", name="Pipeline", exact=True)).to_have_value("failing")
    page.go_back()
    page.wait_for_url("**/runs?state=failed")
    page.reload()
    expect(page.get_by_label("State")).to_have_value("failed")
    # One's own.
    page.get_by_role("combobox", name="By", exact=True).select_option("Me")
    page.wait_for_url("**/runs?state=failed&by=me")
    mine = stack.get("/api/v1/pipeline-runs?status=failed&actor=admin")["total"]
    expect(page.locator(".pager")).to_contain_text(f"of {mine}")
    page.goto("/runs?by=nobody")
    expect(page.get_by_text("No execution fits the filters")).to_be_visible()
    expect(page.get_by_role("combobox", name="By", exact=True)).to_have_value("nobody")
    page.goto("/runs?pipeline=nothing")
    expect(page.get_by_text("No execution fits the filters")).to_be_visible()
    page.get_by_role("button", name="Clear filters").click()
    page.wait_for_url("**/runs")


@pytest.mark.long
def test_pages_of_the_list(page: Page, stack: Stack, pipelines):
    missing = 52 - stack.get(f"/api/v1/pipeline-runs?pipeline_id={pipelines['unplaced']}")["total"]
    runs = [stack.run(pipelines["unplaced"])["id"] for _ in range(missing)]
    page.goto("/runs?pipeline=unplaced")
    expect(page.locator(".pager")).to_contain_text("1–50 of 52")
    page.get_by_role("button", name="Older").click()
    page.wait_for_url("**page=2**")
    expect(page.locator(".run-row")).to_have_count(2)
    page.go_back()
    expect(page.locator(".run-row")).to_have_count(50)
    for run in runs:
        stack.post(f"/api/v1/pipeline-runs/{run}/cancel", {})


def test_a_run_is_started_with_inputs(page: Page, stack: Stack, pipelines):
    page.goto("/p/main/ci")
    live(page)
    page.get_by_role("button", name="Run", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("region").select_option("us")
    dialog.get_by_label("count").fill("7")
    began = time.monotonic()
    dialog.get_by_role("button", name="Run").click()
    page.wait_for_url("**/p/main/ci/runs/*")
    expect(page.locator("h1")).to_be_focused()
    print(f"\na run is on the screen {(time.monotonic() - began) * 1000:.0f} ms after the click")
    number = int(page.url.rsplit("/", 1)[1])
    run = next(one for one in stack.get(f"/api/v1/pipeline-runs?pipeline_id={pipelines['ci']}")["items"] if one["number"] == number)
    assert stack.get(f"/api/v1/pipeline-runs/{run['id']}")["inputs"] == {"region": "us", "count": "7"}
    page.get_by_role("tab", name="Inputs").click()
    expect(page.get_by_role("tabpanel")).to_contain_text("us")


def test_a_run_is_watched_to_success(page: Page, stack: Stack, pipelines):
    run = stack.run(pipelines["ci"])
    open_run(page, stack, run)
    expect(page.locator(".run-head .status")).to_contain_text("Success", timeout=30_000)
    expect(page).to_have_title(re.compile("✓ ci #"))
    expect(page.get_by_role("tabpanel")).to_contain_text("all good")
    page.get_by_role("button", name="List").click()
    expect(page.locator(".step-row")).to_have_count(3)
    page.locator(".step-row", has_text="compile").click()
    page.wait_for_url(re.compile("step=build(/|%2F)compile"))
    expect(page.get_by_role("tabpanel")).to_contain_text("compiling")
    page.get_by_role("button", name="Timeline").click()
    page.get_by_role("tab", name="Events").click()
    expect(page.get_by_role("tabpanel").locator("tbody tr")).to_have_count(stack.get(f"/api/v1/pipeline-runs/{run['id']}")["seq"])


def test_a_failure_is_named_and_leads_to_its_line(page: Page, stack: Stack, pipelines):
    run = stack.finished(stack.run(pipelines["failing"])["id"])
    open_run(page, stack, run)
    notice = page.locator(".notice.is-failed")
    expect(notice).to_contain_text("First failure: database/query")
    expect(notice).to_contain_text("exit 3")
    expect(notice).to_contain_text("error: connection refused")
    expect(page).to_have_title(re.compile("✕"))
    notice.get_by_role("link").click()
    page.wait_for_url(re.compile(r"step=database.*L=\d+"))
    expect(page.get_by_role("tabpanel")).to_contain_text("connection refused")


def test_parallel_steps_are_seen_running_at_once_and_cancelled(page: Page, stack: Stack, pipelines):
    run = stack.run(pipelines["long"])
    open_run(page, stack, run, "?view=list")
    expect(page.locator(".step-row [data-state=running]")).to_have_count(2, timeout=30_000)
    page.get_by_role("button", name="Cancel", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Reason").fill("Only a try")
    dialog.get_by_role("button", name="Cancel the run").click()
    expect(page.locator(".run-head .status")).to_contain_text("Cancelled", timeout=30_000)
    expect(page.locator("main")).to_contain_text("Cancelled by admin. Only a try")
    audit = stack.get("/api/v1/audit-logs?limit=20")["items"]
    assert any(one["operation"] == "cancelRun" for one in audit)


def test_a_run_is_repeated(page: Page, stack: Stack, pipelines):
    run = stack.finished(stack.run(pipelines["failing"])["id"])
    open_run(page, stack, run)
    page.get_by_role("button", name="Rerun", exact=True).click()
    page.get_by_role("menuitem", name="Rerun failed only").click()
    page.wait_for_url(lambda url: url.split("?")[0].endswith(f"/runs/{run['number'] + 1}"))
    expect(page.locator(".run-head")).to_contain_text("rerun of an earlier run")


def test_an_approval_is_given_and_refused(page: Page, stack: Stack, pipelines):
    for word, name, state in [("Approve", "Approve", "Success"), ("Decline", "Decline", "Failed|Cancelled|Skipped")]:
        run = stack.run(pipelines["gated"])
        open_run(page, stack, run)
        notice = page.locator(".notice.is-approval")
        expect(notice).to_contain_text("Ship it?", timeout=30_000)
        notice.get_by_role("button", name=name).click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Reason").fill(f"{word} it is")
        dialog.get_by_role("button", name=word).click()
        expect(page.locator(".run-head .status")).to_contain_text(re.compile(state), timeout=30_000)
        kept = stack.get(f"/api/v1/pipeline-runs/{run['id']}")["approvals"][0]
        assert kept["reason"] == f"{word} it is" and kept["answered_by"] == "admin"


def test_the_list_says_who_waits_for_a_word_and_how_far_it_is(page: Page, stack: Stack, pipelines):
    run = stack.run(pipelines["gated"])
    page.goto("/runs")
    row = page.locator(f".run-row[data-run='{run['id']}']")
    expect(row.locator(".status")).to_contain_text("Approval", timeout=30_000)
    expect(row).to_contain_text("1 of 2 jobs")
    stack.post(f"/api/v1/pipeline-runs/{run['id']}/approve", {})
    expect(row.locator(".status")).to_contain_text("Success", timeout=30_000)
    expect(row).not_to_contain_text("jobs")


def test_why_a_run_waits(page: Page, stack: Stack, pipelines):
    run = stack.run(pipelines["unplaced"])
    open_run(page, stack, run)
    expect(page.locator("main")).to_contain_text("gpu=h100")
    page.goto("/queue")
    expect(page.locator("main")).to_contain_text("gpu=h100")
    stack.post(f"/api/v1/pipeline-runs/{run['id']}/cancel", {})


def test_a_killed_controller_is_seen_and_comes_back(page: Page, stack: Stack, pipelines, watch: Watch):
    run = stack.run(pipelines["long"])
    open_run(page, stack, run)
    expect(page.get_by_role("tabpanel")).to_contain_text("beside", timeout=30_000)
    watch.allow("ERR_CONNECTION_REFUSED", "WebSocket", "Failed to fetch", "ERR_", "status 5")
    # It comes back as a newer one.
    page.route("**/api/v1/status", lambda route: route.fulfill(json={"status": "healthy", "service": "ansflow", "version": "99.1"}))
    stack.kill()
    page.locator("#live[data-state=stale]").wait_for(timeout=5_000)
    expect(page.locator(".banner")).to_contain_text("No connection to the controller")
    stack.start()
    page.locator("#live[data-state=live]").wait_for(timeout=60_000)
    expect(page.locator(".banner")).to_have_count(1)
    expect(page.locator(".banner")).to_contain_text("AnsFlow was updated to 99.1.")
    stack.post(f"/api/v1/pipeline-runs/{run['id']}/cancel", {})
    expect(page.locator(".run-head .status")).to_contain_text("Cancelled", timeout=60_000)
    page.get_by_role("button", name="Reload the page").click()
    live(page)
    expect(page.locator(".banner")).to_have_count(0)
