"""Journey 22: an agent is busy, is drained, is gone with what it ran, is removed; journey 21's alerts, which tell of it."""
import re

from playwright.sync_api import Page, expect

from checks import accessible, settle
from stack import Stack

PINNED = """
jobs:
  only:
    agents: {zone: NAME}
    steps: [{id: wait, run: "echo begun; sleep 90"}]
"""


def chosen(page: Page, name: str, what: str) -> None:
    page.get_by_role("button", name=f"Actions for {name}").click()
    page.get_by_role("menuitem", name=re.compile(what)).click()


def confirmed(page: Page, name: str, what: str) -> None:
    """The question names the agent."""
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading")).to_contain_text(name)
    dialog.get_by_role("button", name=what).click()
    expect(dialog).to_have_count(0)


def test_22_an_agent_is_busy_drained_and_idle(page: Page, stack: Stack):
    stack.add_agent("drained", labels="zone=drained")
    pipeline = stack.pipeline("on-drained", PINNED.replace("NAME", "drained"))
    page.goto("/agents")
    settle(page)
    row = page.locator("tr", has=page.get_by_role("link", name="drained", exact=True))
    expect(row).to_contain_text("Idle")
    expect(row).to_contain_text("0 / 2")
    run = stack.run(pipeline)
    expect(row).to_contain_text("Busy")
    expect(row).to_contain_text("1 / 2")
    # What it does is named, and one click away.
    link = row.get_by_role("link", name=f"on-drained #{run['number']}")
    expect(link).to_have_attribute("href", f"/p/main/on-drained/runs/{run['number']}")
    chosen(page, "drained", "Drain")
    confirmed(page, "drained", "Drain")
    expect(row).to_contain_text("Draining")
    # What runs goes on; what comes waits, and says for what.
    waiting = stack.run(pipeline)
    page.goto(f"/p/main/on-drained/runs/{waiting['number']}")
    settle(page)
    expect(page.locator(".run-head .status")).to_contain_text("Queued")
    expect(page.locator("main")).to_contain_text(re.compile("zone=drained|drain", re.I))
    assert stack.get(f"/api/v1/pipeline-runs/{run['id']}")["status"] == "running"
    stack.post(f"/api/v1/pipeline-runs/{run['id']}/cancel", {})
    # Empty, it leaves by itself; nobody is alarmed by that.
    assert stack.agents.pop().wait(30) == 0
    page.goto("/")
    settle(page)
    expect(page.get_by_text("drained is offline")).to_have_count(0)
    page.goto("/agents")
    settle(page)
    expect(row).to_contain_text("Drained")
    chosen(page, "drained", "Resume")
    stack.run_agent("drained")
    expect(row).to_contain_text("Busy", timeout=30_000)
    stack.post(f"/api/v1/pipeline-runs/{waiting['id']}/cancel", {})
    expect(row).to_contain_text("Idle", timeout=30_000)


def test_22_what_runs_on_a_lost_agent_says_so(page: Page, stack: Stack):
    stack.add_agent("lost", labels="zone=lost")
    run = stack.run(stack.pipeline("on-lost", PINNED.replace("NAME", "lost")))
    page.goto(f"/p/main/on-lost/runs/{run['number']}?view=list")
    settle(page)
    expect(page.get_by_role("tabpanel")).to_contain_text("begun", timeout=30_000)
    stack.agents[-1].kill()
    stack.agents.pop().wait()
    # While it may come back, it is waited for; then somebody says that it never does.
    expect(page.locator("main")).to_contain_text("agent lost is silent", timeout=40_000)
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Agents").click()
    row = page.locator("tr", has=page.get_by_role("link", name="lost", exact=True))
    expect(row).to_contain_text("Offline", timeout=40_000)
    chosen(page, "lost", "Give up as lost")
    confirmed(page, "lost", "Give it up")
    page.goto(f"/p/main/on-lost/runs/{run['number']}?view=list")
    settle(page)
    expect(page.locator(".run-head .status")).to_contain_text("Failed", timeout=30_000)
    expect(page.locator("main")).to_contain_text(re.compile(r"agent.*(lost|gone|given up)", re.I))
    assert not accessible(page)

    # The first page tells of it, until somebody does not want to hear it today.
    page.goto("/")
    settle(page)
    alerts = page.get_by_role("region", name="Alerts")
    line = alerts.locator("li", has_text="lost is offline")
    expect(line).to_be_visible()
    count = int(alerts.locator(".count").inner_text())
    assert count == alerts.locator("li").count()
    assert not accessible(page)
    line.get_by_role("button", name="Mute for a day: lost is offline").click()
    expect(alerts.locator(".count")).to_have_text(str(count - 1))
    expect(line).to_have_count(0)
    page.reload()
    settle(page)
    expect(alerts.locator(".count")).to_have_text(str(count - 1))
    alerts.get_by_role("button", name="1 muted").click()
    line.get_by_role("button", name="No longer mute").click()
    expect(alerts.locator(".count")).to_have_text(str(count))

    # Removed, it is nobody's concern.
    page.goto("/agents")
    settle(page)
    chosen(page, "lost", "Revoke")
    confirmed(page, "lost", "Revoke")
    expect(row).to_contain_text("Revoked")
    page.goto("/")
    settle(page)
    expect(page.get_by_text("lost is offline")).to_have_count(0)


def test_a_wrong_clock_is_told_in_words(page: Page, stack: Stack):
    first = next(one for one in stack.get("/api/v1/agents")["items"] if one["name"] == "linux-1")
    items = [{**first, "id": 900 + ahead, "name": f"off by {ahead}", "clock_ahead_ms": ahead} for ahead in (3_200, -7_400_000, 400)]
    page.route("**/api/v1/agents", lambda route: route.fulfill(json={"items": items, "total": 3, "page": 1, "per_page": 100}))
    page.goto("/agents")
    # The page begins with what it was given, and asks again by itself.
    expect(page.get_by_text("Clock 3 s ahead")).to_be_visible(timeout=30_000)
    expect(page.get_by_text("Clock 2 h behind")).to_be_visible()
    expect(page.get_by_text(re.compile("Clock"))).to_have_count(2)
    page.goto("/agents/1")
    expect(page.get_by_text("as the controller's")).to_be_visible()


def test_22_an_agent_that_vanishes_is_seen(page: Page, stack: Stack):
    stack.add_agent("mortal")
    page.goto("/agents")
    settle(page)
    row = page.locator("tr", has_text="mortal")
    expect(row).to_contain_text("Idle")
    stack.agents[-1].kill()
    stack.agents.pop().wait()
    expect(row).to_contain_text("Offline", timeout=40_000)
    page.get_by_role("button", name="Actions for mortal").click()
    page.get_by_role("menuitem", name=re.compile("Revoke")).click()
    expect(page.get_by_role("dialog")).to_contain_text("mortal")
    page.get_by_role("dialog").get_by_role("button", name=re.compile("Revoke")).click()
    expect(row).to_contain_text("Revoked")


def test_an_agent_is_paused_with_a_note(page: Page, stack: Stack):
    page.goto("/agents")
    settle(page)
    page.get_by_role("button", name="Actions for linux-1").click()
    page.get_by_role("menuitem", name="Pause").click()
    page.get_by_role("dialog").get_by_label("Note").fill("new disk")
    page.get_by_role("dialog").get_by_role("button", name="Pause").click()
    row = page.locator("tr", has_text="linux-1")
    expect(row).to_contain_text("Paused")
    expect(row).to_contain_text("new disk")
    page.get_by_role("button", name="Actions for linux-1").click()
    page.get_by_role("menuitem", name="Resume").click()
    expect(row).to_contain_text(re.compile("Idle|Busy"))


def test_an_agent_gets_a_command_to_join(page: Page):
    page.goto("/agents")
    settle(page)
    page.get_by_role("button", name="Add an agent").click()
    expect(page.get_by_role("dialog")).to_contain_text(re.compile("ansflow-agent enrol --controller https://.* --token "))
    assert not accessible(page)
