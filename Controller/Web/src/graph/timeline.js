// The same graph over time: when each part waited and ran. Waiting is hatched, so that it does not depend on colour.

import { duration, millis } from "../core/fmt.js";
import { h } from "../core/h.js";
import { plural, t } from "../core/i18n.js";
import { statusGlyph, statusLook, statusWord } from "../ui/status.js";

/** Steps of an axis, in seconds. */
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600, 43_200, 86_400];

/**
 * Ticks of an axis, at most `most`.
 * @param {number} ms @param {number} [most]
 */
export function ticks(ms, most = 8) {
  const seconds = ms / 1000;
  const step = STEPS.find((one) => seconds / one <= most) ?? Math.ceil(seconds / most);
  const list = [];
  for (let at = 0; at <= seconds; at += step) list.push(at * 1000);
  return list;
}

/**
 * A whole time without what is nothing of it: `2m`, `5s`.
 * @param {number} ms
 */
const named = (ms) => duration(ms).replace(/ 00[sm]$/, "").replace(/\.0s$/, "s");

/**
 * In the order in which they began; what has not begun comes last, as it is written.
 * @param {import("./model.js").Job[]} jobs
 */
const byStart = (jobs) => {
  const start = (/** @type {import("./model.js").Job} */ job) => millis(job.node.started_at) ?? Infinity;
  return jobs.map((job, at) => ({ job, at })).sort((a, b) => (start(a.job) === start(b.job) ? a.at - b.at : start(a.job) - start(b.job))).map(({ job }) => job);
};

/**
 * @param {import("./model.js").Model} model @param {number} now @param {string} selected
 * @param {(key: string) => string} hrefOf
 */
export function timeline(model, now, selected, hrefOf) {
  const span = model.span(now);
  if (!span) return h("p", { class: "muted graph-empty" }, t("Nothing has started yet."));
  const length = span.to - span.from;
  const part = (/** @type {number} */ ms) => `${Math.max(0, Math.min(100, (ms / length) * 100))}%`;
  const bar = (/** @type {import("./model.js").GraphNode} */ node, /** @type {boolean} */ isStep) => {
    const start = millis(node.started_at);
    const end = start === null ? null : millis(node.finished_at) ?? now;
    const queued = millis(node.queued_at);
    const waited = queued === null ? null : (start ?? (node.phase === "finished" ? queued : now)) - queued;
    const words = [
      statusWord(node.status), waited !== null && waited >= 500 ? t("waited {time}", { time: duration(waited) }) : "",
      start !== null && end !== null ? t("ran {time}", { time: duration(end - start) }) : "",
    ].filter(Boolean).join(", ");
    return h("li", { class: isStep ? "gantt-row is-step" : "gantt-row" },
      h("a", { class: "gantt-name", href: hrefOf(node.id), data: { key: node.id }, title: `${node.name}: ${words}`, aria: { current: node.id === selected ? "true" : undefined } },
        statusGlyph(node.status), h("span", { class: "cut" }, node.name), h("span", { class: "hidden" }, words)),
      h("span", { class: ["gantt-track", statusLook(node.status), model.critical.has(node.id) ? "is-critical" : ""], aria: { hidden: true } },
        queued !== null && waited !== null && waited > 0 ? h("span", { class: "gantt-wait", vars: { "--from": part(queued - span.from), "--wide": part(waited) } }) : null,
        start !== null && end !== null
          ? h("span", { class: "gantt-bar",
            vars: { "--from": part(start - span.from), "--wide": part(end - start) } }, h("span", { class: "gantt-took" }, duration(end - start))) : null));
  };
  const marks = ticks(length);
  return h("div", { class: "gantt" },
    h("p", { class: "hidden" }, plural(model.jobs.size, "1 job over {time}", "{n} jobs over {time}").replace("{time}", duration(length))),
    h("div", { class: "gantt-axis", aria: { hidden: true } }, ...marks.map((ms) => h("span", { vars: { "--from": part(ms) } }, ms === 0 ? "0" : named(ms)))),
    h("ul", { class: "gantt-rows" },
      ...byStart([...model.jobs.values()]).flatMap(({ node, steps }) => [bar(node, false), ...steps.filter((step) => step.started_at).map((step) => bar(step, true))])),
    h("p", { class: "gantt-key", aria: { hidden: true } },
      [["gantt-wait", t("waiting")], ["gantt-bar", t("running")], ["gantt-line", t("critical path")]].map(([look, word]) =>
        h("span", { class: "gantt-sign" }, h("span", { class: look }), word))));
}
