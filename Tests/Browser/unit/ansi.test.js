import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { FLAG, PLAIN, address, applySgr, classes, fromSgr, nearestIndex, paletteColor, parse, visible } from "../../../Controller/Web/src/log/ansi.js";
import { CONTRAST_MIN, GROUND, clamp, color, contrast, onGround, rule } from "../../../Controller/Web/src/log/palette.js";

const table = JSON.parse(readFileSync(new URL("visible-text.json", import.meta.url), "utf8"));

test("what is seen of a line is as in the table that the server is held against too", () => {
  for (const [line, text] of table.cases) assert.equal(visible(line), text, JSON.stringify(line));
});

test("colours and styles become classes", () => {
  const cases = [
    ["\x1b[31mx", "f1"], ["\x1b[91mx", "f9"], ["\x1b[1;4;31mx", "f1 a-b a-u"], ["\x1b[42mx", "g2"], ["\x1b[102mx", "g10"],
    ["\x1b[38;5;208mx", "f208"], ["\x1b[48;5;16mx", "g16"], ["\x1b[38;2;255;0;0mx", "f196"], ["\x1b[38:2::0:255:0mx", "f46"],
    ["\x1b[38:5:21mx", "f21"], ["\x1b[7mx", "a-v"], ["\x1b[7;31mx", "g1"], ["\x1b[7;41mx", "a-v"], ["\x1b[4:3mx", "a-u"], ["\x1b[4:0mx", ""],
    ["\x1b[2mx", "a-d"], ["\x1b[3mx", "a-i"], ["\x1b[9mx", "a-s"], ["\x1b[8mx", "a-h"], ["\x1b[53mx", "a-o"],
    ["\x1b[31;39mx", ""], ["\x1b[1;22mx", ""], ["\x1b[38;5;999mx", ""], ["\x1b[58;5;3;31mx", "f1"], ["\x1b[>4;2mx", ""], ["\x1b[999mx", ""],
  ];
  for (const [line, cls] of cases) {
    const { spans, text } = parse(line);
    assert.equal(text, "x");
    assert.equal(spans ? spans[0].cls : "", cls, JSON.stringify(line));
  }
});

test("a look goes on from line to line", () => {
  const first = parse("\x1b[1;31mred");
  const second = parse("still", first.state);
  assert.deepEqual(second.spans, [{ text: "still", cls: "f1 a-b", href: null }]);
  assert.equal(parse("\x1b[0m", second.state).state, PLAIN);
  assert.equal(parse("plain", PLAIN).spans, null);
  assert.equal(classes(fromSgr("1;31")), "f1 a-b");
  assert.equal(fromSgr(""), PLAIN);
});

test("a link leads to http and https only", () => {
  const link = (url) => parse(`\x1b]8;id=1;${url}\x1b\\x\x1b]8;;\x1b\\`).spans?.[0]?.href ?? null;
  assert.equal(link("https://example.org/a;b"), "https://example.org/a;b");
  for (const bad of ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "//example.org", " https://example.org", "https://"]) {
    assert.equal(link(bad), null, bad);
  }
  assert.equal(address("https://example.org/" + "x".repeat(3000)), null);
});

test("whatever comes, text stays text and nothing throws", () => {
  const parts = ["\x1b", "[", "]", "8;;", "m", "31", ";", ":", "38", "5", "\x07", "\\", "\r", "x", "\u009b", "?", " ", "é", "\x1b[0m", "<b>"];
  let seed = 7;
  const random = (n) => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) % n;
  for (let i = 0; i < 20000; i++) {
    const line = Array.from({ length: random(14) }, () => parts[random(parts.length)]).join("");
    const { text, spans, state } = parse(line);
    if (spans) assert.equal(spans.map((span) => span.text).join(""), text);
    // eslint-disable-next-line no-control-regex
    assert.doesNotMatch(text, /[\x00-\x08\x0a-\x1f\x7f-\x9f]/);
    assert.equal(visible(text), text);
    assert.ok(state.fg >= -1 && state.fg <= 255 && state.bg >= -1 && state.bg <= 255);
    for (const span of spans ?? []) assert.match(span.cls, /^([fg]\d{1,3}|a-[a-z])?( a-[a-z])*$/);
  }
});

test("a line of a megabyte of escapes is read in a moment", () => {
  const began = performance.now();
  parse("\x1b[31mx".repeat(40_000) + "\x1b]".repeat(1000));
  assert.ok(performance.now() - began < 2000);
});

test("the 256 colours are nearest to themselves", () => {
  for (let index = 16; index < 256; index++) {
    const [r, g, b] = paletteColor(index);
    const [x, y, z] = paletteColor(nearestIndex(r, g, b));
    assert.deepEqual([x, y, z], [r, g, b], String(index));
  }
});

test("every colour can be read on both themes", () => {
  for (let index = 0; index < 256; index++) {
    for (const theme of ["light", "dark"]) {
      const ground = GROUND[theme];
      assert.ok(contrast(clamp(color(index, theme), ground), ground) >= CONTRAST_MIN, `text ${index} ${theme}`);
      const background = color(index, theme);
      assert.ok(contrast(onGround(background), background) >= CONTRAST_MIN, `background ${index} ${theme}`);
    }
  }
  assert.match(rule("f208"), /^\.f208\{color:light-dark\(#[0-9a-f]{6},#[0-9a-f]{6}\)\}$/);
  assert.match(rule("g3"), /^\.g3\{background:light-dark\(.*\);color:light-dark\(.*\)\}$/);
});

test("parameters of a look", () => {
  assert.equal(applySgr(PLAIN, "1").flags, FLAG.bold);
  assert.equal(applySgr(PLAIN, ""), PLAIN);
  assert.equal(applySgr(applySgr(PLAIN, "31"), "").fg, -1);
  assert.equal(applySgr(PLAIN, "38;2;300;0;0").fg, -1);
  assert.equal(applySgr(PLAIN, "38;2;1").fg, -1);
});
