"""What opens over a page, and how pages look where there is little room: each state is accessible, in sight, and of use on paper."""
import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from checks import accessible, settle
from stack import Stack

WIDE = "() => document.documentElement.scrollWidth - innerWidth"

REPORTING = """
jobs:
  pack:
    artifacts: [{paths: ["out/**"]}]
    steps:
      - id: unit
        run: |
          mkdir -p out/a/folder/with/a/long/path
          echo x > out/a/folder/with/a/long/path/coverage-report-of-the-whole-library.html
          printf '<testsuite name="s" tests="2" failures="1"><testcase classname="store.PoolTests" name="gives up after the deadline"><failure message="expected 3">first\\nsecond</failure></testcase><testcase classname="store.PoolTests" name="reuses"/></testsuite>' > report.xml
        reports: {junit: report.xml}
"""


@pytest.fixture(scope="module")
def reported(stack: Stack) -> dict:
    return stack.finished(stack.run(stack.pipeline("reporting", REPORTING))["id"])


@pytest.fixture(scope="module")
def failed(stack: Stack, pipelines) -> dict:
    stack.post("/api/v1/notification-rules", {"name": "looks", "on": ["failed"], "in_app": True, "project_id": 1})
    return stack.finished(stack.run(pipelines["failing"])["id"])


def opened(page: Page, path: str, name: str, *more: str) -> None:
    page.goto(path)
    settle(page)
    page.get_by_role("button", name=name, exact=name != "Account of").first.click()
    for item in more:
        page.get_by_role("menuitem", name=item).click()


STATES = [
    ("/p/main/ci", "Run"), ("/runs", "Run pipeline"), ("/pipelines", "New pipeline"), ("/projects", "New project"), ("/agents", "Add an agent"),
    ("/agents", "Actions for linux-1"), ("/agents", "Actions for linux-1", "Pause"), ("/agents", "Account of"), ("/me/tokens", "New API key"),
    ("/p/main/-/members", "Add a member"), ("/p/main/-/secrets", "New secret"), ("/p/main/-/hooks", "New hook"), ("/p/main/-/settings", "Delete…"),
    ("/p/main/failing/runs/1", "Rerun"),
]


@pytest.mark.parametrize("theme,width", [("dark", 320), pytest.param("light", 1280, marks=pytest.mark.long)])
def test_what_opens_is_accessible_and_in_sight(page: Page, stack: Stack, failed, theme: str, width: int):
    page.context.add_cookies([{"name": "ansflow_theme", "value": theme, "url": stack.url}])
    page.set_viewport_size({"width": width, "height": 800})
    faults = []
    for path, name, *more in STATES:
        opened(page, path, name, *more)
        place = page.locator("dialog, .menu-pop").last
        expect(place).to_be_visible()
        box = place.bounding_box()
        if box is None or box["x"] < 0 or box["x"] + box["width"] > width:
            faults.append(f"{path} {name}: at {box}")
        # Nothing of it goes on beyond its edge.
        beyond = place.evaluate("(one) => one.scrollWidth - one.clientWidth")
        if beyond > 0:
            faults.append(f"{path} {name}: {beyond} px beyond the edge")
        faults += accessible(page)
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("theme", ["dark", pytest.param("light", marks=pytest.mark.long)])
def test_the_parts_of_a_run_are_accessible_and_fit(page: Page, stack: Stack, reported, theme: str):
    page.context.add_cookies([{"name": "ansflow_theme", "value": theme, "url": stack.url}])
    page.set_viewport_size({"width": 320, "height": 800})
    faults = []
    for tab, words in {"tests": "gives up", "artifacts": "coverage-report", "inputs": "No inputs", "environment": "Definition", "events": "Run"}.items():
        page.goto(f"/p/main/reporting/runs/{reported['number']}?tab={tab}")
        settle(page)
        expect(page.get_by_role("tabpanel")).to_contain_text(words)
        # The chosen tab is one that is seen.
        page.wait_for_function("""() => {
          const [tab, bar] = [document.querySelector("[role=tab][aria-selected=true]"), document.querySelector("[role=tablist]")];
          const [own, around] = [tab.getBoundingClientRect(), bar.getBoundingClientRect()];
          return own.left >= around.left - 1 && own.right <= around.right + 1;
        }""")
        if (wide := page.evaluate(WIDE)) > 0:
            faults.append(f"{tab}: {wide} px too wide")
        faults += accessible(page)
    assert not faults, "\n".join(faults)


def test_the_command_to_join_is_seen_whole_and_copied(page: Page):
    page.set_viewport_size({"width": 320, "height": 800})
    opened(page, "/agents", "Add an agent")
    dialog = page.get_by_role("dialog")
    copy = dialog.get_by_role("button", name="Copy").first
    expect(copy).to_be_in_viewport(ratio=1)
    code = dialog.locator("code").first
    assert code.evaluate("(one) => one.scrollWidth <= one.clientWidth + 1")
    copy.click()
    expect(dialog.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("() => navigator.clipboard.readText()") == code.inner_text()


def test_a_hook_names_the_pipelines_that_it_may_start(page: Page, stack: Stack, pipelines):
    opened(page, "/p/main/-/hooks", "New hook")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("registry")
    dialog.get_by_label("From").select_option("generic")
    dialog.get_by_label("gated", exact=True).check()
    dialog.get_by_role("button", name="Make").click()
    expect(page.get_by_role("dialog", name="Hook registry")).to_be_visible()
    made = next(one for one in stack.get("/api/v1/projects/1/hooks")["items"] if one["name"] == "registry")
    assert made["pipelines"] == [pipelines["gated"]]


def test_filters_leave_room_for_the_list(page: Page, stack: Stack, failed):
    page.set_viewport_size({"width": 320, "height": 800})
    page.goto("/runs")
    settle(page)
    state = page.get_by_label("State")
    expect(state).to_be_hidden()
    page.get_by_role("button", name="Filters").click()
    state.select_option("failed")
    page.wait_for_url("**/runs?state=failed")
    expect(page.get_by_role("button", name="Filters (1)")).to_have_attribute("aria-expanded", "true")
    assert page.evaluate(WIDE) <= 0


def test_a_short_log_takes_the_room_of_its_lines(page: Page, stack: Stack, failed):
    page.goto(f"/p/main/failing/runs/{failed['number']}?step=database/query")
    settle(page)
    expect(page.locator(".log-row", has_text="connection refused").last).to_be_visible()
    assert page.locator(".log-host").bounding_box()["height"] < 300


def test_a_run_on_paper_is_what_it_says(page: Page, stack: Stack, failed):
    page.goto(f"/p/main/failing/runs/{failed['number']}")
    settle(page)
    page.emulate_media(media="print")
    expect(page.locator(".header")).to_be_hidden()
    expect(page.locator(".run-head h1")).to_be_visible()
    expect(page.locator(".notice.is-failed")).to_contain_text("error: connection refused")
    assert not page.locator(".page button").filter(visible=True).count()


def test_plain_pages_of_a_log_number_their_lines(page: Page, stack: Stack, failed):
    page.goto(f"/runs/{failed['id']}/steps/database%2Fquery/reader")
    assert page.locator(".reader ol").first.evaluate("(one) => getComputedStyle(one).listStyleType") == "decimal"
    assert Axe().run(page).response["violations"] == []


def test_nothing_moves_for_those_who_want_it_so(page: Page, stack: Stack, pipelines):
    """The pages of all journeys are asked for with reduced motion."""
    run = stack.run(pipelines["long"])
    page.goto(f"/p/main/long/runs/{run['number']}?view=list")
    settle(page)
    spin = page.locator(".step-row .glyph.is-running .spin").first
    expect(spin).to_be_attached(timeout=30_000)
    assert spin.evaluate("(one) => getComputedStyle(one).animationName") == "none"
    page.emulate_media(reduced_motion="no-preference")
    assert spin.evaluate("(one) => getComputedStyle(one).animationName") == "spin"
    stack.post(f"/api/v1/pipeline-runs/{run['id']}/cancel", {})
    expect(page.locator(".run-head .status")).to_contain_text(re.compile("Cancelled"), timeout=30_000)
