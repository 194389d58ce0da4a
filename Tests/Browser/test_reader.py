"""A log as plain pages, without a script."""
import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from stack import Stack

LINES = 4500
DEFINITION = r"""
jobs:
  build:
    steps:
      - id: write
        run: |
          printf '##[group]Prepare <b>it</b>\n<script>alert(1)</script>\n'
          printf '\033[31mred\033[0m \033]0;title\007seen\n##[group]Within\ninner\n##[endgroup]\n##[endgroup]\n'
          printf ' 10%%\r 50%%\rdone\n'
          awk 'BEGIN { for (i = 1; i <= LINES; i++) print "number " i }'
""".replace("LINES", str(LINES))


@pytest.fixture(scope="module")
def run(stack: Stack) -> dict:
    made = stack.run(stack.pipeline("reader", DEFINITION))
    assert stack.finished(made["id"])["status"] == "success"
    return made


def test_a_log_is_read_page_by_page(page: Page, stack: Stack, run):
    page.goto(f"/p/main/reader/runs/{run['number']}?step=build/write")
    page.get_by_role("link", name="Reader", exact=True).click()
    page.wait_for_url("**/reader?*")
    reader = page
    assert reader.url.startswith(f"{stack.url}/runs/{run['id']}/steps/build%2Fwrite/reader")
    expect(reader.get_by_role("heading", level=1)).to_have_text(f"reader #{run['number']}: build/write")
    expect(reader.get_by_role("heading", level=2)).to_have_text("Prepare <b>it</b>")
    expect(reader.get_by_role("heading", level=3)).to_have_text("Within")
    lines = reader.locator(".reader li")
    expect(lines.filter(has_text="<script>alert(1)</script>").last).to_be_visible()
    assert lines.filter(has_text=re.compile("^red seen$")).count() == 1
    assert lines.filter(has_text=re.compile("^done$")).count() == 1
    # Each list begins with the number of its first line, headings between them counted.
    starts = reader.locator(".reader ol").evaluate_all("(all) => all.map((one) => [one.start, one.children.length])")
    ends = [start + count for start, count in starts]
    assert all(end < start for end, (start, _) in zip(ends, starts[1:]))
    assert ends[-1] == 2001
    reader.get_by_role("link", name="Next page").first.click()
    expect(reader.locator(".reader")).to_contain_text("page 2 of 3")
    assert reader.locator(".reader ol").evaluate_all("(all) => all.map((one) => [one.start, one.children.length])") == [[2001, 2000]]
    reader.get_by_role("link", name="Last page").first.click()
    expect(reader.locator(".reader li").last).to_have_text(f"number {LINES}")
    assert reader.locator("script").count() == 0
    assert "JavaScript" not in reader.content()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_it_can_be_read_by_everybody(page: Page, stack: Stack, run, theme, width):
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=theme)
    page.goto(f"/runs/{run['id']}/steps/build%2Fwrite/reader")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
    found = Axe().run(page, options={"runOnly": tags}).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"]) for one in found] == []


def test_what_is_not_there_says_so(page: Page, stack: Stack, run, watch):
    watch.allow("404")
    page.goto(f"/runs/{run['id']}/steps/build%2Fwrite/reader?page=9")
    expect(page.get_by_role("heading", level=1)).to_contain_text("404")
    expect(page.locator("main")).to_contain_text("The log has 3 pages.")
