import assert from "node:assert/strict";
import { test } from "node:test";
import * as fmt from "../../../Controller/Web/src/core/fmt.js";
import { plural, t, translate } from "../../../Controller/Web/src/core/i18n.js";
import { match } from "../../../Controller/Web/src/core/router.js";
import { Store } from "../../../Controller/Web/src/core/store.js";

test("durations", () => {
  const table = [[0, "0ms"], [640, "640ms"], [1000, "1.0s"], [9990, "9.9s"], [48_000, "48s"], [59_999, "59s"], [60_000, "1m 00s"], [192_000, "3m 12s"],
    [7_500_000, "2h 05m"], [273_600_000, "3d 4h"], [null, "–"], [undefined, "–"], [NaN, "–"], [-5, "0ms"]];
  for (const [ms, text] of table) assert.equal(fmt.duration(ms), text);
  assert.equal(fmt.ticking(640), "0s");
});

test("how long ago", () => {
  const now = Date.parse("2026-01-31T12:00:00Z");
  const table = [["2026-01-31T11:59:58Z", "now"], ["2026-01-31T12:00:05Z", "now"], ["2026-01-31T11:59:20Z", "40s"], ["2026-01-31T11:48:00Z", "12m"],
    ["2026-01-31T07:00:00Z", "5h"], ["2026-01-28T12:00:00Z", "3d"], ["nonsense", "–"], [null, "–"]];
  for (const [time, text] of table) assert.equal(fmt.ago(time, now), text);
});

test("numbers", () => {
  assert.equal(fmt.count(1234567), "1,234,567");
  assert.equal(fmt.count(null), "–");
  assert.deepEqual([412, 1200, 41_000, 3.2e9].map(fmt.bytes), ["412 B", "1.2 KB", "41 KB", "3.2 GB"]);
  assert.deepEqual([0, 0.941, 0.9999, 1].map(fmt.percent), ["0 %", "94.1 %", "100 %", "100 %"]);
});

test("texts", () => {
  assert.equal(t("{a} of {b}", { a: 1, b: "{a}" }), "1 of {a}");
  assert.equal(plural(1, "one line", "{n} lines"), "one line");
  assert.equal(plural(1200, "one line", "{n} lines"), "1,200 lines");
  translate({ "Log out": "Abmelden" });
  assert.equal(t("Log out"), "Abmelden");
});

test("addresses and their parameters", () => {
  assert.deepEqual(match("/", "/"), {});
  assert.deepEqual(match("/p/{project}/{pipeline}", "/p/a%20b/ci"), { project: "a b", pipeline: "ci" });
  assert.equal(match("/p/{project}/{pipeline}", "/p/a"), null);
  assert.equal(match("/p/{project}/{pipeline}", "/p/a/-"), null);
  assert.equal(match("/p/{project}", "/p/%E0%A4%A"), null);
  assert.deepEqual(match("/p/{project}/-/settings", "/p/a/-/settings"), { project: "a" });
});

test("the newer state wins, whichever came first", () => {
  const store = new Store((run) => run.seq);
  assert.equal(store.put({ id: 1, seq: 5, status: "success" }), true);
  assert.equal(store.put({ id: 1, seq: 4, status: "running" }), false);
  assert.equal(store.get(1).status, "success");
  store.patch(1, (run) => ({ ...run, status: "failed" }));
  assert.equal(store.get(1).status, "failed");
});

test("the store keeps at most so many", () => {
  const store = new Store(() => 0, 10);
  for (let id = 0; id < 50; id++) store.put({ id });
  assert.equal(store.slots.size, 10);
  assert.equal(store.get(49).id, 49);
});
