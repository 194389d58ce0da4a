"""The log viewer in a real browser against a real controller with a real agent: journeys 9, 10 and 15 to 18."""
import os
import re
import time

import pytest
from axe_playwright_python.sync_playwright import Axe

from viewer import ECHO, Viewer, stack  # noqa: F401

LINES = int(os.environ.get("ANSFLOW_LOG_LINES", "1000000"))

BIG = f"""
jobs:
  big:
    steps:
      - id: write
        run: |
          awk 'BEGIN {{ for (i = {ECHO + 1}; i <= {LINES}; i++) {{
            if (i == {ECHO + 1}) print "##[group]Prepare";
            else if (i == 1000) print "##[endgroup]";
            else if (i % 50021 == 0) printf "\\033[31merror:\\033[0m connection refused in case %d\\n", i;
            else print "[" i "] a line of the usual length of some seventy characters, case " i }} }}'
"""

COLOURS = r"""
jobs:
  colours:
    steps:
      - id: write
        run: |
          printf '\033[31mred\033[0m \033[1;38;5;208morange\033[0m \033[48;2;0;0;255mblue\033[0m \033[3;4mslanted\033[0m\n'
          printf '\033]8;;https://example.org/a\033\\safe\033]8;;\033\\ \033]8;;javascript:alert(1)\033\\bad\033]8;;\033\\\n'
          printf '<script>alert(1)</script><img src=x onerror=alert(1)>\n'
          printf 'one\rtwo\n'
          printf '\033[broken \033[31\n'
          printf '\033]0;never ended\n'
          printf '\033[32mgreen to\nthe next line\033[0m\n'
"""


@pytest.fixture(scope="module")
def big(stack):
    run = stack.run(stack.pipeline("big", BIG))["id"]
    detail = stack.finished(run, 600)
    assert detail["status"] == "success", detail
    return run


def test_9_a_long_log_opens_at_any_line(browser, stack, big):
    took, calls = [], []
    for turn in range(4):
        line = min(734512, LINES // 2) - 10_007 * turn
        with Viewer(browser, stack, big, "big/write", query=f"?L={line}") as viewer:
            viewer.page.wait_for_selector(".log-row.is-linked")
            viewer.wait("() => globalThis.painted")
            took.append(viewer.eval("() => globalThis.painted"))
            row = [row for row in viewer.rows() if row[0] == line]
            assert row and row[0][1] == f"[{line}] a line of the usual length of some seventy characters, case {line}"
            assert "is-linked" in row[0][2] and 200 < row[0][3] < 600
            blocks = [call for call in viewer.host.calls if "format=json" in call]
            assert len(blocks) <= 2, blocks
            # It is asked for before the viewer is made.
            calls.append(viewer.eval("() => Math.min(...performance.getEntriesByType('resource').filter((one) => one.name.includes('/log?')).map((one) => one.startTime)) - globalThis.began"))
    print(f"\na line of {LINES} on the screen after {min(took):.0f} ms (of {', '.join(f'{one:.0f}' for one in took)}), asked for after {min(calls):.0f} ms")


def test_10_scrolling_is_smooth_and_reaches_the_end(browser, stack, big):
    with Viewer(browser, stack, big, "big/write", query=f"?L={LINES // 2}") as viewer:
        viewer.settled()
        figures = viewer.eval("""async () => {
          const view = globalThis.log.view, frames = [], scripts = [];
          const render = view.render.bind(view);
          view.render = () => { const at = performance.now(); render(); scripts.push(performance.now() - at); };
          let last = performance.now();
          for (let i = 0; i < 300; i++) {
            view.scroller.scrollTop += 60;
            await new Promise(requestAnimationFrame);
            const now = performance.now();
            frames.push(now - last);
            last = now;
          }
          const p95 = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length * 0.95)];
          return { frame: p95(frames), script: p95(scripts), nodes: document.querySelectorAll("*").length, heap: performance.memory.usedJSHeapSize / 1e6,
            moved: view.rows.lineAt(view.scroll.row) };
        }""")
        print(f"\nscroll: p95 frame {figures['frame']:.1f} ms, script {figures['script']:.2f} ms, {figures['nodes']} nodes, heap {figures['heap']:.1f} MB")
        assert figures["nodes"] <= 1500
        assert figures["heap"] <= 60
        assert figures["moved"] > LINES // 2 + 800
        viewer.eval("() => { const s = globalThis.log.view.scroller; s.scrollTop = s.scrollHeight; }")
        viewer.page.wait_for_timeout(500)
        viewer.settled()
        assert viewer.rows()[-1][0] == LINES
        viewer.eval("() => { globalThis.log.view.scroller.scrollTop = 0; }")
        viewer.settled()
        assert viewer.rows()[0][0] == 1


def test_15_find(browser, stack, big):
    with Viewer(browser, stack, big, "big/write", query="?L=100000") as viewer:
        viewer.settled()
        viewer.page.focus(".log-scroll")
        viewer.page.keyboard.press("/")
        viewer.page.keyboard.type("Connection Refused")
        # One more in the script itself.
        count = 1 + len([i for i in range(1, LINES + 1) if i % 50021 == 0])
        viewer.wait("() => !globalThis.log.view.find.isBusy && globalThis.log.view.find.current", 60)
        server = stack.get(f"/api/v1/pipeline-runs/{big}/steps/big/write/log/search?q=connection%20refused")
        assert viewer.eval("() => globalThis.log.view.find.count") == count
        assert server["count"] <= count
        assert viewer.page.inner_text(".log-found") == f"3 of {count}"
        viewer.page.keyboard.press("Enter")
        viewer.wait("() => globalThis.log.view.find.order === 4")
        for _ in range(count):
            viewer.page.keyboard.press("Enter")
            viewer.page.wait_for_timeout(30)
        viewer.wait("() => globalThis.log.view.find.order === 4")
        viewer.settled()
        marked = viewer.eval("() => [...CSS.highlights.get('log-current')].map(String)")
        assert marked == ["connection refused"]
        viewer.page.keyboard.press("Escape")
        assert viewer.eval("() => document.activeElement.className") == "log-scroll"
        # In a closed section.
        viewer.page.keyboard.press("/")
        viewer.page.keyboard.type("case 777")
        viewer.wait("() => globalThis.log.view.find.current?.[0] > 0 && !globalThis.log.view.find.isBusy", 60)
        viewer.eval("() => globalThis.log.view.show([777, 3, 3])")
        viewer.settled()
        assert 777 in [row[0] for row in viewer.rows()]
        # A pattern that is none.
        viewer.page.fill(".log-find", "(")
        viewer.page.click(".log-search .log-toggle >> nth=0")
        viewer.wait("() => document.querySelector('.log-found').title.includes('egular expression')")
        viewer.faults = [text for text in viewer.faults if "400" not in text]


def test_16_thousands_of_lines_are_selected_and_copied(browser, stack, big):
    start = LINES // 3
    with Viewer(browser, stack, big, "big/write", query=f"?L={start}") as viewer:
        viewer.settled()
        place = viewer.eval(f"() => {{ const s = globalThis.log.view.ring.slots.find((one) => one.line === {start} && one.row >= 0); "
                            "const b = s.text.getBoundingClientRect(); return [b.left, b.top + 10]; }")
        viewer.page.mouse.move(place[0] + 1, place[1])
        viewer.page.mouse.down()
        viewer.page.mouse.move(place[0] + 60, 900, steps=4)
        viewer.wait(f"() => globalThis.log.view.selection.focus.line > {start + 3000}", 60)
        viewer.page.mouse.up()
        last = viewer.eval("() => globalThis.log.view.selection.range.to")
        text = viewer.copied().split("\n")
        assert len(text) == last["line"] - start + 1 > 3000
        raw = stack.get(f"/api/v1/pipeline-runs/{big}/steps/big/write/log?format=json&from_line={start}&lines=3000")["lines"]
        clean = [re.sub("\033\\[[0-9;]*m", "", line["text"]) for line in raw]
        assert text[1:3000] == clean[1:3000] and text[0] == clean[0]
        viewer.page.keyboard.press("Escape")
        # By number and Shift.
        viewer.eval(f"() => globalThis.log.go('{start}')")
        viewer.settled()
        viewer.page.click(f".log-n:text-is('{start}')")
        viewer.eval(f"() => globalThis.log.view.goToLine({start + 3000}, 'center')")
        viewer.settled()
        viewer.page.click(f".log-n:text-is('{start + 3000}')", modifiers=["Shift"])
        assert viewer.page.url.endswith(f"L={start}-{start + 3000}")
        text = viewer.copied().split("\n")
        assert len(text) == 3001 and text[0] == clean[0] and "\033" not in "".join(text)


def test_17_colours_and_hostile_sequences(browser, stack):
    run = stack.run(stack.pipeline("colours", COLOURS))["id"]
    stack.finished(run)
    with Viewer(browser, stack, run, "colours/write") as viewer:
        viewer.settled()
        rows = {row[0] - 7: row[1] for row in viewer.rows()}
        assert rows[1] == "red orange blue slanted" and rows[2] == "safe bad"
        assert rows[3] == "<script>alert(1)</script><img src=x onerror=alert(1)>"
        assert rows[4] == "two" and rows[6] == "0;never ended"
        spans = viewer.eval("() => [...document.querySelectorAll('.log-x span')].map((one) => [one.textContent, one.className])")
        for text, cls in [("red", "f1"), ("orange", "f208 a-b"), ("blue", "g21"), ("slanted", "a-i a-u"), ("the next line", "f2")]:
            assert [text, cls] in spans, spans
        links = viewer.eval("() => [...document.querySelectorAll('.log-x a')].map((one) => [one.textContent, one.href, one.rel])")
        assert links == [["safe", "https://example.org/a", "noopener noreferrer nofollow"]]
        assert viewer.eval("() => document.querySelectorAll('.log img, .log script').length") == 0


def test_18_links_to_lines(browser, stack, big):
    with Viewer(browser, stack, big, "big/write", query="?L=500-510&attempt=1") as viewer:
        viewer.settled()
        chosen = [row[0] for row in viewer.rows() if "is-linked" in row[2]]
        assert chosen == list(range(500, 511))
        viewer.page.focus(".log-scroll")
        viewer.page.keyboard.press("y")
        viewer.wait("() => /clipboard/.test(document.querySelector('.log-note').textContent)")
        link = viewer.eval("() => navigator.clipboard.readText()")
        viewer.page.goto(link)
        viewer.settled()
        assert [row[0] for row in viewer.rows() if "is-linked" in row[2]] == chosen


def test_the_rest_by_keyboard(browser, stack, big):
    with Viewer(browser, stack, big, "big/write") as viewer:
        viewer.settled()
        viewer.page.focus(".log-scroll")
        # The only section is open: `o` closes it.
        viewer.page.keyboard.press("Home")
        viewer.eval("() => globalThis.log.view.choose([7, 7])")
        viewer.page.keyboard.press("o")
        viewer.settled()
        assert [row[0] for row in viewer.rows()][:8] == [1, 2, 3, 4, 5, 6, 1001, 1002]
        viewer.page.keyboard.press("n")
        viewer.settled()
        assert 50021 in [row[0] for row in viewer.rows() if "is-linked" in row[2] and "is-error" in row[2]]
        viewer.page.select_option(".log-level", "errors")
        viewer.wait("() => globalThis.log.view.rows.count < 1000")
        viewer.settled()
        assert 50021 in [row[0] for row in viewer.rows()] and 50030 not in [row[0] for row in viewer.rows()]
        viewer.page.focus(".log-scroll")
        for key in ["w", "t", "t", "G", "g", "?"]:
            viewer.page.keyboard.press(key)
            viewer.page.wait_for_timeout(100)
        assert viewer.page.is_visible(".log-help")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(browser, stack, big, theme):
    with Viewer(browser, stack, big, "big/write", query=f"?L=50021&theme={theme}") as viewer:
        viewer.settled()
        for found in [None, "refused"]:
            if found:
                viewer.page.fill(".log-find", found)
                viewer.wait("() => globalThis.log.view.find.current && !globalThis.log.view.find.isBusy")
            tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
            results = Axe().run(viewer.page, options={"runOnly": tags}).response
            assert [(one["id"], one["nodes"][0]["html"]) for one in results["violations"]] == []


def test_a_line_that_is_too_long_is_shown_whole_on_demand(browser, stack):
    definition = "jobs:\n  long:\n    steps:\n      - {id: write, run: \"printf 'before\\\\n'; head -c 300000 /dev/zero | tr '\\\\0' 'x'; printf 'END\\\\nafter\\\\n'\"}\n"
    run = stack.finished(stack.run(stack.pipeline(f"long {time.time_ns()}", definition))["id"])
    assert run["status"] == "success", run
    with Viewer(browser, stack, run["id"], "long/write") as viewer:
        viewer.settled()
        row = next(row for row in viewer.rows() if row[1].startswith("xxx"))
        assert len(row[1]) < 17_000 and "show the whole line" in row[1]
        assert not [row for row in viewer.rows() if row[1] == "before" and "whole" in row[1]]
        # The button is at the line's end, far to the right.
        viewer.page.locator(".log-more").evaluate("(one) => one.click()")
        whole = viewer.page.get_by_role("dialog").locator("textarea")
        whole.wait_for()
        assert whole.input_value() == "x" * 300_000 + "END"
        viewer.page.keyboard.press("Escape")
        # The line behind it has its own number.
        assert [row for row in viewer.rows() if row[1] == "after"][0][0] == row[0] + 1
