"""Journeys 1 and 2: set-up, login, logout, an ended session; deep links to what is missing or forbidden."""
import pathlib
import re
import shutil
import tempfile

import pytest
from playwright.sync_api import Browser, Page, expect

from conftest import Watch, live, log_in
from stack import PASSWORD, Stack


def test_login_works_without_script_and_leads_on(browser: Browser, stack: Stack, watch: Watch):
    context = browser.new_context(base_url=stack.url, java_script_enabled=False)
    page = context.new_page()
    watch.attach(page)
    watch.allow("status 401", "401 (Unauthorized)")
    answer = page.goto("/runs?state=failed")
    assert answer and answer.status == 401
    page.fill("#username", "admin")
    page.fill("#password", "wrong")
    page.click("button[type=submit]")
    expect(page.get_by_role("alert")).to_have_text("The user name or password is wrong.")
    expect(page.locator("#username")).to_have_value("admin")
    page.fill("#password", PASSWORD)
    page.click("button[type=submit]")
    assert page.url == f"{stack.url}/runs?state=failed"
    expect(page.locator("h1")).to_have_text("Executions")
    cookie = next(one for one in context.cookies() if one["name"].endswith("ansflow"))
    assert cookie["httpOnly"] and cookie["sameSite"] == "Lax"
    context.close()
    watch.check()


def test_a_link_to_the_login_leads_nobody_elsewhere(stranger: Page, stack: Stack):
    for bad in ["//example.org", "https://example.org", "/\\example.org"]:
        stranger.goto(f"/login?next={bad}")
        expect(stranger.locator("input[name=next]")).to_have_value("/")


def test_logout_ends_the_session(page: Page, stack: Stack, watch: Watch):
    page.get_by_role("button", name="Account of admin").click()
    page.get_by_role("menuitem", name="Log out").click()
    page.wait_for_url("**/login")
    watch.allow("status 401", "401 (Unauthorized)")
    answer = page.goto("/")
    assert answer and answer.status == 401


def test_an_ended_session_comes_back_to_where_it_was(page: Page, stack: Stack, watch: Watch, pipelines):
    page.goto("/runs?state=failed")
    live(page)
    # What the page asks for by itself has been answered.
    page.wait_for_load_state("networkidle")
    watch.allow("401", "WebSocket")
    page.context.clear_cookies()
    page.get_by_label("State").select_option("running")
    page.locator("#password").wait_for()
    page.fill("#username", "admin")
    page.fill("#password", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_url("**/runs?state=running")
    expect(page.get_by_label("State")).to_have_value("running")


def test_deep_links_have_the_right_status(page: Page, stack: Stack, watch: Watch, pipelines):
    watch.allow("status 404", "status 403", "404 (Not Found)", "403 (Forbidden)")
    for path, status in {"/p/none": 404, "/p/main/none": 404, "/p/main/ci/runs/9999": 404, "/nowhere": 404, "/agents/999": 404}.items():
        answer = page.goto(path)
        assert answer and answer.status == status, path
        expect(page.locator("h1")).to_contain_text(str(status))
        expect(page.get_by_role("navigation", name="Main").get_by_role("link", name="Executions")).to_be_visible()


def test_02_a_deleted_run_is_gone(page: Page, stack: Stack, watch: Watch):
    pipeline = stack.pipeline("short-lived", "jobs:\n  a:\n    steps: [{id: s, run: \"true\"}]\n")
    runs = [stack.finished(stack.run(pipeline)["id"]) for _ in range(2)]
    for run in runs:
        stack.call("DELETE", f"/api/v1/pipeline-runs/{run['id']}")
    watch.allow("410", "status 404", "404 (Not Found)")
    for number, status in {1: 410, 2: 410, 3: 404}.items():
        answer = page.goto(f"/p/main/short-lived/runs/{number}")
        assert answer and answer.status == status, number
    page.goto("/p/main/short-lived/runs/2")
    expect(page.locator("h1")).to_have_text("410 · Gone")
    expect(page.locator("main")).to_contain_text("Run #2 of short-lived was deleted")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Executions").click()
    expect(page.locator("h1")).to_have_text("Executions")
    # The same where the page that is open already is led there.
    page.goto("/runs")
    live(page)
    page.evaluate("() => { const link = document.createElement('a'); link.href = '/p/main/short-lived/runs/2'; document.querySelector('main').append(link); link.click(); }")
    expect(page.locator("h1")).to_have_text("410 · Gone")
    expect(page.locator("h1")).to_be_focused()


def test_what_is_forbidden_says_which_role_is_missing(browser: Browser, stack: Stack, watch: Watch, pipelines):
    user = stack.post("/api/v1/users", {"username": "viewer", "password": PASSWORD})["id"]
    stack.call("PUT", f"/api/v1/projects/1/members/{user}", {"role": "viewer"})
    run = stack.finished(stack.run(pipelines["ci"])["id"])
    context = browser.new_context(base_url=stack.url)
    page = context.new_page()
    log_in(page, "viewer")
    watch.attach(page)
    watch.allow("status 403", "403 (Forbidden)")
    answer = page.goto("/p/main/-/secrets")
    assert answer and answer.status == 403
    expect(page.locator("main")).to_contain_text("maintainer")
    page.goto(f"/p/main/ci/runs/{run['number']}")
    rerun = page.get_by_role("button", name="Rerun from this job")
    expect(rerun).to_be_disabled()
    expect(rerun).to_have_attribute("title", re.compile("developer"))
    context.close()
    watch.check()


def test_the_first_administrator_chooses_a_password(browser: Browser, watch: Watch):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="ansflow-setup-"))
    own = Stack(folder)
    try:
        own.start(password="")
        assert len(own.printed) >= 12
        context = browser.new_context(base_url=own.url, java_script_enabled=False)
        page = context.new_page()
        page.goto("/login")
        page.get_by_role("link", name="Choose the administrator's password").click()
        for printed, new, repeated, words in [
            ("wrong", PASSWORD, PASSWORD, "The printed password is wrong."), (own.printed, PASSWORD, "other", "The two new passwords differ."),
            (own.printed, "short", "short", "too short"),
        ]:
            page.fill("#password", printed)
            page.fill("#new_password", new)
            page.fill("#repeated", repeated)
            page.click("button[type=submit]")
            expect(page.get_by_role("alert")).to_contain_text(words)
        page.fill("#password", own.printed)
        page.fill("#new_password", PASSWORD)
        page.fill("#repeated", PASSWORD)
        page.click("button[type=submit]")
        expect(page.locator("h1")).to_have_text("Dashboard")
        page.goto("/setup")
        assert page.url != f"{own.url}/setup"
        own.login("admin", PASSWORD)
        with pytest.raises(Exception):
            own.login("admin", own.printed)
        context.close()
    finally:
        own.close()
        shutil.rmtree(folder, ignore_errors=True)
