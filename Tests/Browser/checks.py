"""What tests of pages ask of them."""
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from conftest import live

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
HOSTILE = "<img src=x onerror=document.title='hit'>\"'&"


def accessible(page: Page) -> list[str]:
    found = Axe().run(page, options={"runOnly": TAGS}).response["violations"]
    return [f"{page.url}: {one['id']} ×{len(one['nodes'])}: {one['nodes'][0]['html'][:200]}" for one in found]


def settle(page: Page) -> None:
    page.locator("main h1").wait_for()
    live(page)
    page.wait_for_function("() => !document.querySelector('.skeleton, .is-loading')")
