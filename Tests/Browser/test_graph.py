"""The graph, list and timeline of a run in a real browser: journeys 19 and 20."""
import json

import pytest

from module_page import ModulePage

AT = "2026-01-31T12:{:02d}:{:02d}.000Z"


def at(seconds):
    return AT.format(seconds // 60, seconds % 60)


def graph(jobs: int, cells: int = 24) -> dict:
    """Layers of jobs, and a matrix whose cells need the first job."""
    nodes, edges = [], []

    def add(name, needs, status, queued, start, end, group=None):
        nodes.append({"id": name, "kind": "job", "job": name, "step": None, "name": name, "built_in": False, "status": status, "phase": "finished",
                      "result": status, "queued_at": at(queued), "started_at": at(start), "finished_at": at(end), "group": group, "approval": False})
        nodes.append({"id": f"{name}/run", "kind": "step", "job": name, "step": "run", "name": "run", "built_in": False, "status": status,
                      "phase": "finished", "result": status, "queued_at": None, "started_at": at(start), "finished_at": at(end)})
        edges.extend({"from": need, "to": name, "allow_failure": False} for need in needs)

    add("job-0", [], "success", 0, 10, 20)
    for i in range(1, jobs):
        needs = sorted({max(0, i - 1 - (i * 7) % 12), max(0, i - 1 - (i * 3) % 9)})
        add(f"job-{i}", [f"job-{need}" for need in needs], "failed" if i == 5 else "success", 20 + i, 25 + i, 60 + i)
    names = [f"test (os={i})" for i in range(cells)]
    for name in names:
        add(name, ["job-0"], "success", 20, 30, 90, "test")
    groups = [{"id": "test", "axes": ["os"], "cells": names, "statuses": {"success": cells}}] if cells else []
    return {"nodes": nodes, "edges": edges, "groups": groups, "critical_path": ["job-0", "job-1"]}


SCRIPT = """
import {{ mountGraph }} from "/src/graph/mount.js";
const graph = {graph};
const began = performance.now();
globalThis.chosen = [];
globalThis.graph = mountGraph(document.getElementById("host"), {{ graph, selection: "job-5/run", view: "{view}", onView: () => {{}},
  onSelect: (key) => {{ globalThis.chosen.push(key); globalThis.graph.select(key); }} }});
globalThis.made = performance.now() - began;
// Behind the next picture: what it took to lay out, write and paint counts.
requestAnimationFrame(() => {{
  const channel = new MessageChannel();
  channel.port1.onmessage = () => (globalThis.took = performance.now() - began);
  channel.port2.postMessage(0);
}});
"""


class Page:
    def __init__(self, browser, data, view="graph", theme="light"):
        self.host = ModulePage(SCRIPT.format(graph=json.dumps(data), view=view))
        self.page = browser.new_page(viewport={"width": 1280, "height": 800})
        self.faults: list[str] = []
        self.page.on("console", lambda message: self.faults.append(message.text) if message.type == "error" else None)
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.goto(f"{self.host.url}/?theme={theme}")
        self.page.wait_for_function("() => globalThis.took")
        self.page.wait_for_timeout(200)

    def __enter__(self):
        return self.page

    def __exit__(self, kind, *_):
        self.page.close()
        self.host.close()
        if kind is None:
            assert self.faults == []


def test_19_a_large_graph_can_be_read_and_walked_by_keyboard(browser):
    data = graph(276)
    with Page(browser, data) as page:
        assert page.evaluate("() => globalThis.graph.dag.zoom.scale") >= 0.7
        letters = page.evaluate("() => Math.min(...[...document.querySelectorAll('.dag text')].map((one) => parseFloat(getComputedStyle(one).fontSize))) * globalThis.graph.dag.zoom.scale")
        assert letters >= 11
        # Fit shows every box.
        page.click("text=Fit")
        fits = page.evaluate("() => { const s = document.querySelector('.dag-scroll'); return s.scrollWidth <= s.clientWidth + 1 && s.scrollHeight <= s.clientHeight + 1; }")
        assert fits
        page.wait_for_function("() => document.querySelectorAll('.dag-card').length === globalThis.graph.dag.cards.size")
        page.click("text=100 %")
        # One stop for Tab; arrows go along edges and back.
        assert page.locator(".dag-item[tabindex='0']").count() == 1
        page.evaluate("() => { globalThis.graph.dag.rove('job-0').focus(); }")
        page.keyboard.press("ArrowRight")
        here = page.evaluate("() => document.activeElement.dataset.key")
        reached = {edge["to"] for edge in data["edges"] if edge["from"] == "job-0"} | {"group:test"}
        assert here in reached
        page.keyboard.press("ArrowLeft")
        assert page.evaluate("() => document.activeElement.dataset.key") == "job-0"
        page.keyboard.press("Enter")
        assert page.evaluate("() => globalThis.chosen") == ["job-0"]
        # The group opens into its cells, and folds again.
        boxes = page.evaluate("() => globalThis.graph.dag.cards.size")
        page.evaluate("() => { globalThis.graph.dag.rove('group:test').focus(); }")
        page.keyboard.press("Enter")
        assert page.evaluate("() => globalThis.graph.dag.cards.size") == boxes + 23
        assert page.evaluate("() => document.activeElement.dataset.key") == "test (os=0)"
        page.keyboard.press("Escape")
        assert page.evaluate("() => globalThis.graph.dag.cards.size") == boxes
        # The list has the same parts.
        page.click("text=List")
        assert page.locator(".graph-entry").count() == len(data["nodes"])
        assert page.locator(".graph-entry[aria-current]").get_attribute("data-key") == "job-0"


def test_20_three_views_of_one_selection(browser):
    data = graph(12, 0)
    with Page(browser, data) as page:
        assert page.locator(".dag-item[aria-current]").get_attribute("data-key") == "job-5/run"
        for view, item in [("List", ".graph-entry"), ("Timeline", ".gantt-name")]:
            page.click(f"text={view}")
            assert page.locator(f"{item}[aria-current]").get_attribute("data-key") == "job-5/run"
        bars = page.evaluate("""() => [...document.querySelectorAll(".gantt-row:not(.is-step)")].map((row) => {
          const track = row.querySelector(".gantt-track").getBoundingClientRect(), bar = row.querySelector(".gantt-bar").getBoundingClientRect();
          const wait = row.querySelector(".gantt-wait")?.getBoundingClientRect();
          return [row.querySelector("[data-key]").dataset.key, (bar.left - track.left) / track.width, bar.width / track.width, wait ? wait.width / track.width : 0];
        })""")
        end = max(int(node["finished_at"][14:16]) * 60 + int(node["finished_at"][17:19]) for node in data["nodes"])
        for key, start, width, waited in bars:
            node = next(node for node in data["nodes"] if node["id"] == key)
            seconds = {name: int(node[name][14:16]) * 60 + int(node[name][17:19]) for name in ("queued_at", "started_at", "finished_at")}
            assert abs(start - seconds["started_at"] / end) < 0.01
            assert abs(width - (seconds["finished_at"] - seconds["started_at"]) / end) < 0.01
            assert abs(waited - (seconds["started_at"] - seconds["queued_at"]) / end) < 0.01
        hatch = page.evaluate("() => getComputedStyle(document.querySelector('.gantt-row .gantt-wait')).backgroundImage")
        assert "repeating-linear-gradient" in hatch
        page.click(".gantt-name[data-key='job-3']")
        assert page.evaluate("() => globalThis.chosen") == ["job-3"]
        page.click("text=Graph")
        assert page.locator(".dag-item[aria-current]").get_attribute("data-key") == "job-3"


def test_states_change_without_anything_moving(browser):
    data = graph(500, 0)
    with Page(browser, data) as page:
        made, took = page.evaluate("() => [globalThis.made, globalThis.took]")
        print(f"\n500 jobs: layout and drawing {made:.0f} ms, on the screen after {took:.0f} ms")
        # Only what can be seen is drawn, and what is scrolled to.
        drawn = page.evaluate("() => document.querySelectorAll('.dag *').length")
        assert drawn < 1500, drawn
        key = page.evaluate("""() => {
          const scroller = document.querySelector(".dag-scroll");
          scroller.scrollTo(scroller.scrollWidth / 2, scroller.scrollHeight / 2);
          return new Promise((done) => setTimeout(() => {
            const box = scroller.getBoundingClientRect();
            const seen = [...document.querySelectorAll(".dag-card")].filter((one) => {
              const own = one.getBoundingClientRect();
              return own.right > box.left && own.left < box.right && own.bottom > box.top && own.top < box.bottom;
            });
            done(seen.length > 0 && seen.every((one) => one.querySelector(".dag-name").textContent) && seen[0].querySelector(".dag-item").dataset.key);
          }, 100));
        }""")
        assert key
        took = page.evaluate("""([data, key]) => {
          const place = () => [...document.querySelectorAll(".dag-card")].map((one) => one.getAttribute("transform")).join();
          const before = place();
          const node = data.nodes.find((one) => one.id === key), all = [];
          for (const status of ["failed", "success", "failed", "success", "running"]) {
            // Each answer is made of new objects.
            data = { ...data, nodes: data.nodes.map((one) => ({ ...one, ...(one.id === key ? { status } : {}) })) };
            const began = performance.now();
            globalThis.graph.update(data);
            all.push(performance.now() - began);
          }
          return [Math.min(...all), before === place(), document.querySelector(`[data-key="${CSS.escape(key)}"]`).dataset.status];
        }""", [data, key])
        print(f"one state changed: {took[0]:.1f} ms")
        assert took[1] and took[2] == "running"


def test_what_nobody_runs_has_no_states(browser):
    """The graph of a definition: a job that is not in a run does not wait either."""
    data = graph(5, 6)
    for node in data["nodes"]:
        for name in ("status", "phase", "result", "queued_at", "started_at", "finished_at"):
            node.pop(name, None)
    for group in data["groups"]:
        group.pop("statuses")
    with Page(browser, data) as page:
        words = page.evaluate("() => [...document.querySelectorAll('.dag-item')].map((one) => one.getAttribute('aria-label'))")
        assert "job-0" in words and not [word for word in words if "Queued" in word], words
        assert page.locator(".dag .glyph").count() == 0
