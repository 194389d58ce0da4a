// The boxes of a run's graph: a job with its steps, or a group of a matrix, drawn as SVG links.

import { duration, millis, ticking } from "../core/fmt.js";
import { svg } from "../core/h.js";
import { t } from "../core/i18n.js";
import { statusGlyph, statusLook, statusWord } from "../ui/status.js";
import { tally } from "./model.js";

export const WIDTH = 208;
export const HEAD = 36;
export const STEP = 24;
const PAD = 6;
/** About the widths of a character of a step's name, and of a job's, which is bold. */
const CHARACTER = 7;
const BOLD = 8;

/** @type {Record<string, string>} */
const SIGNS = { success: "✓", failed: "✕", running: "◐" };

/** @param {string} text @param {number} width @param {number} [character] */
export function cut(text, width, character = CHARACTER) {
  const most = Math.max(1, Math.floor(width / character));
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}

/**
 * How long a part took, or has taken.
 * @param {import("./model.js").GraphNode} node @param {number} now
 */
export function took(node, now) {
  const start = millis(node.started_at);
  if (start === null) return "";
  const end = millis(node.finished_at);
  return end === null ? ticking(now - start) : duration(end - start);
}

/** @param {number} steps How many are listed. */
export const heightOf = (steps) => HEAD + (steps > 0 ? steps * STEP + PAD : 0);

/**
 * A line of a box: shape, name, time. It is made once; states only change what changed.
 */
class Item {
  /**
   * @param {object} options
   * @param {string} options.key @param {string} options.href @param {string} options.cls
   * @param {number} options.y @param {number} options.height @param {number} options.indent
   */
  constructor({ key, href, cls, y, height, indent }) {
    this.key = key;
    this.indent = indent;
    this.character = cls === "is-job" ? BOLD : CHARACTER;
    this.middle = y + height / 2;
    this.ground = svg("rect", { class: "dag-ground", x: 2, y: y + 2, width: WIDTH - 4, height: height - 4, rx: 4 });
    this.name = svg("text", { class: "dag-name", x: indent + 22, y: this.middle, dy: "0.35em" });
    this.time = svg("text", { class: "dag-time", x: WIDTH - 10, y: this.middle, dy: "0.35em", "text-anchor": "end" });
    this.glyph = svg("g", { class: "dag-glyph" });
    this.title = svg("title", null);
    this.element = svg("a", { class: `dag-item ${cls}`, href, tabindex: "-1", data: { key } }, this.title, this.ground, this.glyph, this.name, this.time);
    this.shown = "";
  }

  /** @param {{status: string, name: string, time: string, note?: string}} state */
  show({ status, name, time, note = "" }) {
    const key = `${status}\n${name}\n${note}`;
    if (this.time.textContent !== time) this.time.textContent = time;
    if (key === this.shown) return;
    this.shown = key;
    const glyph = statusGlyph(status);
    glyph.setAttribute("x", String(this.indent));
    glyph.setAttribute("y", String(this.middle - 8));
    this.glyph.replaceChildren(glyph);
    this.name.textContent = cut(name, WIDTH - this.indent - 22 - 52, this.character);
    this.element.dataset.status = status;
    const words = `${name}: ${note || statusWord(status)}`;
    this.title.textContent = words;
    this.element.setAttribute("aria-label", words);
  }
}

/** A job. */
export class JobCard {
  /**
   * @param {import("./model.js").Job} job @param {boolean} showsSteps
   * @param {(key: string) => string} hrefOf
   */
  constructor(job, showsSteps, hrefOf) {
    this.id = job.node.id;
    const steps = showsSteps ? job.steps : [];
    this.height = heightOf(steps.length);
    this.width = WIDTH;
    this.frame = svg("rect", { class: "dag-frame", x: 0.5, y: 0.5, width: WIDTH - 1, height: this.height - 1, rx: 6 });
    this.head = new Item({ key: job.node.id, href: hrefOf(job.node.id), cls: "is-job", y: 0, height: HEAD, indent: 12 });
    this.steps = steps.map((step, at) => new Item({ key: step.id, href: hrefOf(step.id), cls: step.built_in ? "is-step is-built-in" : "is-step", y: HEAD + at * STEP, height: STEP, indent: 20 }));
    /** @type {Item[]} */
    this.items = [this.head, ...this.steps];
    this.element = svg("g", { class: "dag-card" }, this.frame, ...this.items.map((item) => item.element));
  }

  /** @param {import("./model.js").Model} model @param {number} now @param {string} [label] */
  update(model, now, label) {
    const job = model.jobs.get(this.id);
    if (!job) return;
    const status = job.node.approval && job.node.phase === "waiting" ? "approval" : job.node.status ?? "pending";
    this.head.show({ status, name: label ?? job.node.name, time: took(job.node, now) });
    const cls = `dag-card ${statusLook(status)}${model.critical.has(this.id) ? " is-critical" : ""}`;
    if (this.element.getAttribute("class") !== cls) this.element.setAttribute("class", cls);
    this.steps.forEach((item, at) => {
      const step = job.steps[at];
      if (step) item.show({ status: step.status ?? "pending", name: step.name, time: took(step, now) });
    });
  }
}

/** The cells of a matrix, folded into one box. */
export class GroupCard {
  /** @param {import("./model.js").Graph["groups"][number]} group @param {(key: string) => string} hrefOf */
  constructor(group, hrefOf) {
    this.id = group.id;
    this.width = WIDTH;
    this.height = HEAD + STEP;
    this.head = new Item({ key: `group:${group.id}`, href: hrefOf(group.cells[0] ?? group.id), cls: "is-group", y: 0, height: HEAD, indent: 12 });
    this.items = [this.head];
    this.counts = svg("text", { class: "dag-counts", x: 34, y: HEAD + STEP / 2 - 4, dy: "0.35em" });
    this.element = svg("g", { class: "dag-card" },
      svg("rect", { class: "dag-frame is-behind", x: 4.5, y: 4.5, width: WIDTH - 1, height: this.height - 1, rx: 6 }),
      svg("rect", { class: "dag-frame", x: 0.5, y: 0.5, width: WIDTH - 1, height: this.height - 1, rx: 6 }), this.head.element, this.counts);
    this.head.element.append(this.counts);
  }

  /** @param {import("./model.js").Model} model @param {number} _now */
  update(model, _now) {
    const group = model.graph.groups.find((one) => one.id === this.id);
    if (!group) return;
    const statuses = group.statuses ?? {};
    const parts = tally(statuses).map(([status, n]) => `${n} ${statusWord(status).toLowerCase()}`);
    const status = tally(statuses)[0]?.[0] ?? "pending";
    this.head.show({ status, name: `${this.id} × ${group.cells.length}`, time: "▸", note: `${parts.join(", ")}. ${t("Opens into its cells.")}` });
    this.head.element.setAttribute("aria-expanded", "false");
    const short = tally(statuses).map(([one, n]) => `${n} ${SIGNS[one] ?? statusWord(one).toLowerCase()}`);
    const text = cut(short.join("   "), WIDTH - 44, 5.6);
    if (this.counts.textContent !== text) this.counts.textContent = text;
    const isCritical = group.cells.some((cell) => model.critical.has(cell));
    this.element.setAttribute("class", `dag-card ${statusLook(status)}${isCritical ? " is-critical" : ""}`);
  }
}
