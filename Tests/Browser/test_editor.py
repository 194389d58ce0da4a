"""Journeys 23 and 25: a definition is written, completed, judged and saved, and nothing of it is lost."""
import re
import time

import pytest
from playwright.sync_api import Page, expect

from checks import accessible, settle
from conftest import Watch
from stack import Stack


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


def typed(page: Page, text: str) -> None:
    """Keys as a person presses them; a line's end is the Enter key."""
    for line, part in enumerate(text.split("\n")):
        if line:
            page.keyboard.press("Enter")
        page.keyboard.type(part, delay=20)


def test_23_the_editor_completes_what_is_typed(page: Page, stack: Stack, pipelines):
    stack.pipeline("typed", "jobs:\n  lint:\n    steps: [{id: look, run: \"true\"}]\n")
    page.goto("/p/main/typed/edit")
    settle(page)
    code = page.locator(".CodeMirror")
    if code.count() == 0:
        pytest.skip("this page was built without libjs-codemirror")
    code.click()
    page.keyboard.press("Control+End")
    # What is wrong is marked where it stands, as it is typed.
    typed(page, "    needz: x")
    began = time.monotonic()
    expect(code.locator(".fault-text", has_text="needz")).to_be_visible(timeout=5_000)
    print(f"\na fault is marked {(time.monotonic() - began) * 1000:.0f} ms after the last key")
    page.keyboard.press("Control+Z")
    for _ in range(12):
        if "needz" not in code.inner_text():
            break
        page.keyboard.press("Control+Z")
    page.keyboard.press("Control+End")
    hints = page.locator(".CodeMirror-hints")
    # Keys by place, with what they mean; those of a job are not those of the file.
    typed(page, "  build:\n")
    page.keyboard.press("Control+Space")
    expect(hints.get_by_text("needs", exact=True)).to_be_visible()
    expect(hints).to_contain_text("Jobs that must have ended well before.")
    expect(hints.get_by_text("include", exact=True)).to_have_count(0)
    assert not accessible(page)
    page.keyboard.type("nee", delay=20)
    expect(hints.locator(".CodeMirror-hint")).to_have_count(1)
    page.keyboard.press("Enter")
    # Names of the other jobs.
    page.keyboard.type("[")
    expect(hints.locator(".CodeMirror-hint").first).to_contain_text("lint")
    expect(hints.get_by_text("build", exact=True)).to_have_count(0)
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    typed(page, "]\n")
    page.keyboard.type("steps", delay=20)
    page.keyboard.press("Escape")
    typed(page, ": [{id: pack, run: echo}]")
    text = page.locator("textarea.edit-area").input_value()
    assert text.endswith("  build:\n    needs: [lint]\n    steps: [{id: pack, run: echo}]"), text
    # Words of an enumeration, at the top of the file.
    page.keyboard.press("Control+Home")
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowUp")
    typed(page, "on: ")
    expect(hints.get_by_text("pull_request", exact=True)).to_be_visible()
    page.keyboard.type("pus", delay=20)
    expect(hints.locator(".CodeMirror-hint")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.locator(".edit-side")).to_contain_text("good")
    assert page.locator("textarea.edit-area").input_value().startswith("on: push\njobs:")
    # What nobody runs does not wait.
    expect(page.locator(".dag-item").first).to_be_visible()
    expect(page.locator(".dag-item", has_text="Queued")).to_have_count(0)
    # Letters do not touch the numbers of the lines.
    gap = page.evaluate("""() => {
      const line = document.querySelector(".CodeMirror-line > span").getBoundingClientRect();
      return line.left - document.querySelector(".CodeMirror-gutters").getBoundingClientRect().right;
    }""")
    assert gap >= 8, gap
    # One step back takes away what was chosen.
    page.keyboard.press("Control+z")
    assert not page.locator("textarea.edit-area").input_value().startswith("on: push\n")


def test_a_draft_survives_leaving(page: Page, stack: Stack, pipelines):
    page.goto("/p/main/long/edit")
    settle(page)
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.get_by_role("button", name="Plain text").click()
    if page.locator("textarea.edit-area").is_hidden():
        page.get_by_role("button", name="Plain text").click()
    area = page.locator("textarea.edit-area")
    area.fill(area.input_value() + "# a thought\n")
    page.wait_for_function("() => Object.keys(localStorage).some((key) => key.startsWith('ansflow.draft'))")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Agents").click()
    assert asked, "it was left without a question"
    page.goto("/p/main/long/edit")
    page.get_by_role("button", name="Take the draft").click()
    expect(page.locator("textarea.edit-area")).to_have_value(re.compile("# a thought"))
