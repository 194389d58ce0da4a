"""One's own account: notices, and keys that are shown once and end at once."""
import re
import socket

import pytest
from playwright.sync_api import Page, expect

from checks import accessible, settle
from stack import Failure, Stack


def test_notices_come_by_themselves_and_are_read(page: Page, stack: Stack, pipelines):
    stack.post("/api/v1/notifications", {"read": "all"})
    stack.post("/api/v1/notification-rules", {"name": "failures", "on": ["failed"], "in_app": True, "project_id": 1})
    page.goto("/agents")
    settle(page)
    bell = page.get_by_role("button", name="Notices")
    expect(bell.locator(".badge")).to_have_count(0)
    run = stack.finished(stack.run(pipelines["failing"])["id"])
    expect(bell.locator(".badge")).to_have_text("1")
    stack.post("/api/v1/system/notify", {"title": "Upgrade <b>tonight</b>", "message": "At 22:00."})
    expect(bell.locator(".badge")).to_have_text("2")
    expect(page.locator(".toast")).to_contain_text("Upgrade <b>tonight</b>: At 22:00.")
    bell.click()
    panel = page.get_by_role("dialog", name="Notices")
    expect(panel.locator("li")).to_have_count(min(8, stack.get("/api/v1/notifications")["total"]))
    expect(panel.locator("li.is-unread")).to_have_count(2)
    assert not accessible(page)
    panel.get_by_role("button", name="Mark as read: Upgrade").click()
    expect(bell.locator(".badge")).to_have_text("1")
    # Following one reads it.
    panel.locator("li.is-unread").get_by_role("link").click()
    page.wait_for_url(f"**/p/main/failing/runs/{run['number']}")
    expect(bell.locator(".badge")).to_have_count(0)
    assert stack.get("/api/v1/notifications?unread=true")["total"] == 0
    bell.click()
    page.keyboard.press("Escape")
    expect(panel).to_have_count(0)
    expect(bell).to_be_focused()
    bell.click()
    panel.get_by_role("link", name="All notices").click()
    page.wait_for_url("**/me/notifications")
    expect(page.locator("main .notice-line").first).to_be_visible()


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


def test_28_a_revoked_key_is_worth_nothing_at_once(page: Page, stack: Stack):
    page.goto("/me/tokens")
    settle(page)
    page.get_by_role("button", name="New API key").click()
    page.get_by_role("dialog").get_by_label("Name").fill("lost")
    page.get_by_role("dialog").get_by_role("button", name="Make").click()
    shown = page.get_by_role("dialog").locator("code")
    expect(shown).to_have_text(re.compile("^ansk_"))
    key = shown.inner_text()
    page.get_by_role("button", name="Close").click()
    # A connection that the key opened.
    ticket = with_key(stack, key)
    connection = upgraded(stack, ticket)
    page.get_by_role("button", name="Delete lost").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("lost", exact=True)).to_have_count(0)
    assert ended(connection)
    token, stack.token = stack.token, key
    try:
        with pytest.raises(Failure) as refused:
            stack.get("/api/v1/projects")
        assert refused.value.status == 401
    finally:
        stack.token = token
    # It is not kept anywhere in the page.
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Agents").click()
    expect(page.locator("h1")).to_have_text("Agents")
    assert key not in page.content()


def upgraded(stack: Stack, ticket: str) -> socket.socket:
    """A WebSocket that nothing but the ticket opened: a browser would send its cookie too."""
    host, port = stack.url.split("//")[1].split(":")
    made = socket.create_connection((host, int(port)), timeout=30)
    made.sendall((f"GET /ws?token={ticket} HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                  "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n").encode())
    head = b""
    while b"\r\n\r\n" not in head:
        head += made.recv(4096)
    assert b" 101 " in head, head
    return made


def ended(connection: socket.socket) -> bool:
    """Whether it closes before its time is over."""
    with connection:
        try:
            while part := connection.recv(4096):
                if part[0] == 0x88:
                    return True
            return True
        except TimeoutError:
            return False


def with_key(stack: Stack, key: str) -> str:
    token, stack.token = stack.token, key
    try:
        return stack.post("/api/v1/ws-tickets", {})["ticket"]
    finally:
        stack.token = token
