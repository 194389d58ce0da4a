// What the editor offers, by place.

import assert from "node:assert/strict";
import { test } from "node:test";
import { complete } from "../../../Controller/Web/src/edit/complete.js";
import { entriesOf, placeAt } from "../../../Controller/Web/src/edit/yaml-place.js";

const need = { type: "object", properties: { job: { type: "string" }, outcome: { enum: ["success", "any"] } } };
const step = {
  type: "object",
  properties: {
    id: { type: "string", description: "The step's id." }, run: { type: "string" }, script: { type: "string", description: "The same as `run`." },
    needs: { anyOf: [{ type: "string" }, { type: "array", items: { type: "string" } }] }, env: { type: "object", additionalProperties: { type: "string" } },
  },
};
const job = {
  type: "object",
  properties: {
    needs: { anyOf: [{ type: "string" }, { type: "array", items: { anyOf: [{ type: "string" }, { $ref: "#/$defs/need" }] } }] },
    steps: { type: "array", items: { allOf: [{ $ref: "#/$defs/step" }] } }, soft: { type: "boolean" }, env: { type: "object", additionalProperties: { type: "string" } },
  },
};
const schema = {
  allOf: [{ $ref: "#/$defs/pipeline" }],
  $defs: {
    need, step, job,
    pipeline: {
      type: "object",
      properties: {
        name: { type: "string" }, on: { anyOf: [{ enum: ["push", "tag"] }, { type: "array", items: { enum: ["push", "tag"] } }] },
        jobs: { type: "object", additionalProperties: { $ref: "#/$defs/job" } }, steps: { type: "array", items: { $ref: "#/$defs/step" } },
      },
    },
  },
};

/** The text has `¦` where the cursor is. */
function offered(text) {
  const at = text.indexOf("¦");
  const before = text.slice(0, at).split("\n");
  return complete(schema, text.replace("¦", ""), before.length - 1, before.at(-1).length);
}
const labels = (text) => offered(text)?.choices.map((one) => one.label) ?? null;

test("keys fit the place, without those that are there", () => {
  assert.deepEqual(labels("¦"), ["name", "on", "jobs", "steps"]);
  assert.deepEqual(labels("name: x\nj¦"), ["jobs"]);
  assert.deepEqual(labels("jobs:\n  build:\n    ¦"), ["needs", "steps", "soft", "env"]);
  assert.deepEqual(labels("jobs:\n  build:\n    ¦\n    soft: true\n    steps: []\n"), ["needs", "env"]);
  assert.deepEqual(labels("jobs:\n  build:\n    steps:\n      - id: a\n        ¦"), ["run", "needs", "env", "script"]);
  assert.deepEqual(labels("jobs:\n  build:\n    steps:\n    - ¦"), ["id", "run", "needs", "env", "script"]);
  assert.deepEqual(labels("jobs:\n  build:\n    steps:\n      - {id: a, ¦}"), ["run", "needs", "env", "script"]);
});

test("words fit the key", () => {
  assert.deepEqual(labels("on: ¦"), ["push", "tag"]);
  assert.deepEqual(labels("on: [push, ¦]"), ["push", "tag"]);
  assert.deepEqual(labels("on:\n  - t¦"), ["tag"]);
  assert.deepEqual(labels("jobs:\n  a:\n    soft: ¦"), ["true", "false"]);
  assert.deepEqual(labels("jobs:\n  a:\n    needs: [{job: b, outcome: ¦}]"), ["success", "any"]);
});

test("a need names other jobs, or other steps of its job", () => {
  const jobs = "jobs:\n  a:\n    steps: [{id: x, run: y}]\n  b:\n    needs: ¦\n  c: {steps: []}\n";
  assert.deepEqual(labels(jobs), ["a", "c"]);
  assert.deepEqual(labels(jobs.replace("needs: ¦", "needs: [a, ¦]")), ["c"]);
  assert.deepEqual(labels(jobs.replace("needs: ¦", "needs:\n      - ¦")), ["a", "c", "job", "outcome"]);
  assert.deepEqual(labels(jobs.replace("needs: ¦", "needs: [{job: ¦}]")), ["a", "c"]);
  assert.deepEqual(labels("steps:\n  - id: one\n  - {id: two, needs: [¦]}\n  - id: three\n"), ["one", "three"]);
});

test("what is chosen replaces the word, and no colon is written twice", () => {
  const found = offered("jobs:\n  a:\n    ne¦eds: b");
  assert.equal(found, null);
  const other = offered("jobs:\n  a:\n    st¦p: b");
  assert.deepEqual([other.from, other.to, other.choices[0].text], [4, 7, "steps"]);
  assert.equal(offered("jobs:\n  a:\n    st¦").choices[0].text, "steps:");
  assert.equal(offered("na¦").choices[0].text, "name: ");
});

test("comments, texts and quotes are left alone", () => {
  assert.equal(labels("# ¦"), null);
  assert.equal(labels("jobs: # ¦"), null);
  assert.equal(labels("steps:\n  - run: |\n      ¦"), null);
  assert.equal(labels("steps:\n  - run: |\n      echo x\n\n      ¦"), null);
  assert.equal(labels("steps: [{run: \"¦\"}]"), null);
  assert.deepEqual(labels("steps:\n  - run: |\n      echo\n    ¦"), ["id", "needs", "env", "script"]);
  assert.equal(labels("steps:\n  - env:\n      ¦"), null);
});

test("places have paths, broken texts too", () => {
  assert.deepEqual(placeAt("a:\n  b: [c, {d: ", 1, 15)?.path, ["a", "b", 1, "d"]);
  assert.deepEqual(placeAt("a:\n  - - x: 1\n      ", 2, 6)?.path, ["a", 0, 0]);
  assert.deepEqual(placeAt("a: {b: [\n  c,\n  ", 2, 2)?.path, ["a", "b", 1]);
  const entries = entriesOf("a: 'x y' # z\nb:\n- c: \"#1\"\n- d: [e, f]\n? g\n\"h i\": {j: k}\n");
  assert.deepEqual(entries.map((one) => [one.path.join("/"), one.key, one.value]), [
    ["", "a", "x y"], ["", "b", ""], ["b/0", "c", "#1"], ["b/1", "d", "[e, f]"], ["b/1/d", "0", "e"], ["b/1/d", "1", "f"], ["", "h i", "{j: k}"], ["h i", "j", "k"],
  ]);
});

test("no text takes it long, or breaks it", () => {
  const pieces = ["a:", " ", "- ", "{", "}", "[", "]", ",", ": ", "|", "'", '"', "#", "\n", "needs", "\t", "é"];
  let seed = 7;
  const next = (n) => (seed = (seed * 48271) % 2147483647) % n;
  for (let turn = 0; turn < 2000; turn++) {
    const text = Array.from({ length: next(40) }, () => pieces[next(pieces.length)]).join("");
    const lines = text.split("\n");
    const line = next(lines.length);
    complete(schema, text, line, next(lines[line].length + 1));
  }
  const long = `jobs:\n${Array.from({ length: 3000 }, (_, i) => `  job-${i}:\n    steps: [{id: a, run: "x"}]\n`).join("")}  last:\n    needs: [job-2999, `;
  const began = performance.now();
  const found = complete(schema, long, long.split("\n").length - 1, long.split("\n").at(-1).length);
  assert.equal(found.choices.length, 60);
  assert.ok(performance.now() - began < 3000);
});
