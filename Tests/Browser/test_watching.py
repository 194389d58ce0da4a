"""What journeys 5 to 8, 15 and 18 ask for beyond the way itself: order, words, icons, lines, and links that stay valid."""
import re

from playwright.sync_api import Page, expect

from conftest import Watch, live
from stack import Stack
from test_runs import open_run
from viewer import Viewer, live_run

SLOW = """
jobs:
  first:
    steps: [{id: a, run: "sleep 2; echo one"}]
  second:
    needs: [first]
    steps: [{id: b, run: "sleep 2; echo two"}]
"""
SECTIONS = r"""
jobs:
  database:
    steps:
      - id: query
        run: |
          echo '##[group]Set up'
          for i in $(seq 1 60); do echo "set up $i"; done
          echo '##[endgroup]'
          echo '##[group]Run tests'
          for i in $(seq 1 60); do echo "test $i passed"; done
          echo 'error: connection refused (127.0.0.1:5432)'
          for i in $(seq 1 15); do echo "  at frame $i"; done
          echo '##[endgroup]'
          exit 1
"""
RETRIED = """
jobs:
  only:
    steps:
      - {id: try, run: "echo attempt number $ANSFLOW_ATTEMPT; test -e mark && exit 0; touch mark; exit 1", retry: {max: 2}}
"""
NEEDY = """
inputs:
  count: {type: number, required: true}
  name: {type: text, required: true}
jobs:
  only:
    steps: [{id: s, run: "true"}]
"""
# Every word of it, as it changes.
RECORD = """() => {
  const seen = globalThis.seen = { first: [], second: [], title: [], icon: [], said: [], time: [] };
  const add = (name, value) => value != null && seen[name].at(-1) !== value && seen[name].push(value);
  const look = () => {
    for (const job of ["first", "second"]) {
      const node = document.querySelector(`.dag-item[data-key="${job}"]`);
      add(job, node && `${node.dataset.status}: ${node.getAttribute("aria-label")}`);
    }
    add("title", document.title);
    add("icon", document.getElementById("icon").href);
    add("said", document.getElementById("announcer").textContent);
    add("time", document.querySelector(".run-head .facts .strong")?.textContent);
    requestAnimationFrame(look);
  };
  look();
}"""


def test_06_every_change_of_a_run_is_seen_in_order(page: Page, stack: Stack):
    run = stack.run(stack.pipeline("slow", SLOW))
    open_run(page, stack, run, "?view=graph")
    page.locator(".dag-item[data-key=second]").wait_for()
    page.evaluate(RECORD)
    expect(page.locator(".run-head .status")).to_contain_text("Success", timeout=30_000)
    page.wait_for_timeout(1000)
    seen = page.evaluate("() => globalThis.seen")
    order = [[text.split(":")[0] for text in seen[job]] for job in ("first", "second")]
    states = [list(dict.fromkeys(one)) for one in order]
    assert states[0][-2:] == ["running", "success"] and states[1][-2:] == ["running", "success"], seen
    assert states[1][0] in ("blocked", "pending"), seen
    # The word changes with the shape.
    assert "Running" in " ".join(seen["second"]) and "Success" in seen["second"][-1], seen
    assert len(seen["time"]) >= 3, seen["time"]
    assert seen["title"][-1].startswith("✓") and any(one.startswith("◐") for one in seen["title"]), seen["title"]
    assert len(set(seen["icon"])) >= 2
    assert len([one for one in seen["said"] if f"slow #{run['number']}: Success" in one]) == 1, seen["said"]


def test_07_a_failure_opens_at_its_line(page: Page, stack: Stack):
    run = stack.finished(stack.run(stack.pipeline("sections", SECTIONS))["id"])
    open_run(page, stack, run)
    expect(page.locator(".step h2")).to_have_text("database/query")
    link = page.locator(".notice.is-failed").get_by_role("link", name=re.compile("Line"))
    expect(page.locator(".notice.is-failed")).to_contain_text("error: connection refused")
    line = int(re.search(r"\d+", link.inner_text())[0])
    link.click()
    row = page.locator(".log-row.is-linked:not([hidden])")
    expect(row).to_contain_text("connection refused")
    expect(row.locator(".log-n")).to_have_text(str(line))
    # In the middle, its section open, the one that went well closed.
    page.wait_for_timeout(400)
    box, log = row.bounding_box(), page.locator(".log-scroll").bounding_box()
    assert log["y"] + log["height"] <= 900, "the log's end is below the window"
    assert box and log and 0.2 < (box["y"] - log["y"]) / log["height"] < 0.8, (box, log)
    expect(page.locator(".log-row:not([hidden])", has_text="test 60 passed")).to_be_visible()
    page.locator(".log-scroll").focus()
    page.keyboard.press("Home")
    expect(page.locator(".log-row:not([hidden])", has_text="Set up").last).to_be_visible()
    assert page.locator(".log-row:not([hidden])", has_text=re.compile("^.*set up 30$")).count() == 0


def test_05_what_is_wrong_with_an_input_stands_beside_it(page: Page, stack: Stack, watch: Watch):
    stack.pipeline("needy", NEEDY)
    page.goto("/p/main/needy")
    live(page)
    page.get_by_role("button", name="Run", exact=True).click()
    dialog = page.get_by_role("dialog")
    watch.allow("422")
    dialog.get_by_role("button", name="Run").click()
    expect(dialog.locator("[data-field='inputs.count'] .fault")).to_be_visible()
    expect(dialog.get_by_label("count")).to_be_focused()
    dialog.get_by_label("count").fill("3")
    dialog.get_by_label("name").fill("x")
    dialog.get_by_role("button", name="Run").click()
    page.wait_for_url("**/p/main/needy/runs/1")


def test_08_what_is_asked_for_is_not_asked_for_twice(page: Page, stack: Stack):
    run = stack.run(stack.pipeline("stubborn", "jobs:\n  only:\n    steps: [{id: s, run: \"trap '' TERM; echo begun; for i in $(seq 1 60); do sleep 0.1; done\"}]\n"))
    open_run(page, stack, run)
    expect(page.get_by_role("tabpanel")).to_contain_text("begun", timeout=30_000)
    page.get_by_role("button", name="Cancel", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel the run").click()
    expect(page.get_by_role("button", name="Cancelling…")).to_be_disabled()
    expect(page.locator(".run-head .status")).to_contain_text("Cancelled", timeout=30_000)


def test_18_links_into_an_attempt_stay_valid(page: Page, stack: Stack):
    run = stack.finished(stack.run(stack.pipeline("retried", RETRIED))["id"])
    assert run["status"] == "success"
    open_run(page, stack, run, "?step=only/try&attempt=1&L=2")
    attempts = page.get_by_role("group", name="Attempts")
    row = page.locator(".log-row.is-linked:not([hidden])")
    for _ in range(2):
        expect(attempts.get_by_role("button", pressed=True)).to_contain_text("1")
        expect(row).to_contain_text("attempt number 1")
        # Another run of the same changes nothing of it.
        again = stack.post(f"/api/v1/pipeline-runs/{run['id']}/rerun", {"mode": "all"})
        stack.finished(again["id"])
        page.reload()
    attempts.get_by_role("button").nth(1).click()
    page.wait_for_url(re.compile("attempt=2"))
    expect(page.get_by_role("tabpanel")).to_contain_text("attempt number 2")


def test_15_a_search_goes_on_while_lines_come(browser, stack: Stack):
    count = 4000
    run, say, clean = live_run(stack, "search", count, 100)
    try:
        with Viewer(browser, stack, run, "live/write", live=True) as viewer:
            viewer.wait("() => globalThis.log?.view.blocks.total >= 200")
            viewer.page.focus(".log-scroll")
            viewer.page.keyboard.press("/")
            viewer.page.keyboard.type("live line [0-9]+00$")
            viewer.page.click(".log-search .log-toggle >> nth=0")
            viewer.wait("() => !globalThis.log.view.find.isBusy")
            assert viewer.eval("() => globalThis.log.view.find.count") == 0
            say("go")
            viewer.wait("() => { const { count } = globalThis.log.view.find; return count > 2 && count < 40; }", 60)
            viewer.wait(f"() => globalThis.log.view.find.count === {count // 100}", 60)
            say("end")
            stack.finished(run)
            server = stack.get(f"/api/v1/pipeline-runs/{run}/steps/live/write/log/search?mode=regex&q=live%20line%20%5B0-9%5D%2B00%24")
            assert server["count"] == count // 100
    finally:
        clean()
