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

/** @type {CanvasRenderingContext2D | null | undefined} */
let ruler;

/**
 * As much of a text as fits, by the real widths of its letters.
 * @param {string} text @param {number} width @param {boolean} isBold
 */
function fit(text, width, isBold) {
  if (ruler === undefined) {
    ruler = document.createElement("canvas").getContext("2d");
    sans = getComputedStyle(document.documentElement).getPropertyValue("--sans") || "sans-serif";
  }
  if (!ruler) return cut(text, width, isBold ? BOLD : CHARACTER);
  ruler.font = isBold ? `600 13px ${sans}` : `400 12.5px ${sans}`;
  if (ruler.measureText(text).width <= width) return text;
  // Of a cell of a matrix the values say more than the names of its axes.
  text = text.replace(/([ ,([])[\w-]+=/g, "$1");
  if (ruler.measureText(text).width <= width) return text;
  let [low, high] = [1, text.length];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (ruler.measureText(`${text.slice(0, middle)}…`).width <= width) low = middle;
    else high = middle - 1;
  }
  return `${text.slice(0, low)}…`;
}
let sans = "";

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

/** @typedef {{status: string, name: string, time: string, note?: string}} Shown */

/**
 * A line of a box: shape, name, time. The link is made when its box is first near the window, letters and shapes when they could be
 * read too: what nobody sees is most of what a large graph costs.
 */
class Item {
  /**
   * @param {object} options
   * @param {string} options.key @param {() => string} options.href Asked for when it is drawn. @param {string} options.cls
   * @param {number} options.y @param {number} options.height @param {number} options.indent
   */
  constructor(options) {
    this.options = options;
    this.key = options.key;
    /** @type {SVGAElement | null} */
    this.element = null;
    /** @type {{name: SVGTextElement, time: SVGTextElement, glyph: SVGGElement, title: SVGTitleElement} | null} */
    this.letters = null;
    /** @type {Shown} */
    this.state = { status: "", name: "", time: "" };
    this.shown = "";
  }

  get middle() {
    return this.options.y + this.options.height / 2;
  }

  build() {
    const { key, href, cls, y, height } = this.options;
    const ground = svg("rect", { class: "dag-ground", x: 2, y: y + 2, width: WIDTH - 4, height: height - 4, rx: 4 });
    return (this.element ??= svg("a", { class: `dag-item ${cls}`, href: href(), tabindex: "-1", data: { key } }, ground));
  }

  /** @param {Shown} state */
  show(state) {
    const { status, name, time, note = "" } = state;
    this.state = state;
    if (this.letters && this.letters.time.textContent !== time) this.letters.time.textContent = time;
    const key = `${status}\n${name}\n${note}`;
    if (key === this.shown || !this.element) return;
    this.shown = key;
    this.element.dataset.status = status;
    this.element.setAttribute("aria-label", this.words);
    this.write();
  }

  get words() {
    const { status, name, note } = this.state;
    return note || status ? `${name}: ${note || statusWord(status)}` : name;
  }

  /** Gives it its letters. */
  detail() {
    if (this.letters || !this.element) return;
    const { indent } = this.options;
    this.letters = {
      name: svg("text", { class: "dag-name", x: indent + 22, y: this.middle, dy: "0.35em" }),
      time: svg("text", { class: "dag-time", x: WIDTH - 10, y: this.middle, dy: "0.35em", "text-anchor": "end" }),
      glyph: svg("g", { class: "dag-glyph" }), title: svg("title", null),
    };
    this.letters.time.textContent = this.state.time;
    this.element.append(this.letters.title, this.letters.glyph, this.letters.name, this.letters.time);
    this.write();
  }

  write() {
    if (!this.letters) return;
    const { status, name } = this.state;
    const { indent, cls } = this.options;
    const { letters } = this;
    letters.name.textContent = fit(name, WIDTH - indent - (status ? 22 + 54 : 20), cls !== "is-step" && cls !== "is-step is-built-in");
    letters.title.textContent = this.words;
    // What has no state has no sign of one: a definition that nobody runs does not wait either.
    letters.name.setAttribute("x", String(status ? indent + 22 : indent));
    if (!status) {
      letters.glyph.replaceChildren();
      return;
    }
    const glyph = statusGlyph(status);
    glyph.setAttribute("x", String(indent));
    glyph.setAttribute("y", String(this.middle - 8));
    letters.glyph.replaceChildren(glyph);
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
    this.head = new Item({ key: job.node.id, href: () => hrefOf(job.node.id), cls: "is-job", y: 0, height: HEAD, indent: 12 });
    this.steps = steps.map((step, at) => new Item({ key: step.id, href: () => hrefOf(step.id),
      cls: step.built_in ? "is-step is-built-in" : "is-step", y: HEAD + at * STEP, height: STEP, indent: 20 }));
    /** @type {Item[]} */
    this.items = [this.head, ...this.steps];
    /** @type {SVGGElement | null} Nothing while it is far from the window. */
    this.element = null;
    this.cls = "";
    /** @type {[import("./model.js").GraphNode, string, boolean] | null} What it was last made of. */
    this.last = null;
  }

  build() {
    const frame = svg("rect", { class: "dag-frame", x: 0.5, y: 0.5, width: WIDTH - 1, height: this.height - 1, rx: 6 });
    return (this.element = svg("g", { class: "dag-card" }, frame, ...this.items.map((item) => item.build())));
  }

  detail() {
    for (const item of this.items) item.detail();
  }

  /** @param {import("./model.js").Model} model @param {number} now @param {string} [label] */
  update(model, now, label) {
    const job = model.jobs.get(this.id);
    if (!job || !this.element) return;
    const isCritical = model.critical.has(this.id);
    const name = label ?? job.node.name;
    // Most of a large graph is as it was.
    if (this.steps.length === 0 && this.last && isSame(this.last[0], job.node) && this.last[1] === name && this.last[2] === isCritical) return;
    this.last = [job.node, name, isCritical];
    const status = job.node.approval && job.node.phase === "waiting" ? "approval" : stateOf(job.node, model);
    this.head.show({ status, name, time: took(job.node, now) });
    const cls = `dag-card ${status ? statusLook(status) : "is-idle"}${isCritical ? " is-critical" : ""}`;
    if (this.cls !== cls) this.element.setAttribute("class", (this.cls = cls));
    this.steps.forEach((item, at) => {
      const step = job.steps[at];
      if (step) item.show({ status: stateOf(step, model), name: step.name, time: took(step, now) });
    });
  }
}

/**
 * Whether a job shows the same as before; one that runs shows another time.
 * @param {import("./model.js").GraphNode} a @param {import("./model.js").GraphNode} b
 */
const isSame = (a, b) => a.status === b.status && a.phase === b.phase && a.approval === b.approval && a.started_at === b.started_at
  && a.finished_at === b.finished_at && (b.finished_at || !b.started_at);

/** @param {import("./model.js").GraphNode} node @param {import("./model.js").Model} model */
const stateOf = (node, model) => node.status ?? (model.isRun ? "pending" : "");

/** The cells of a matrix, folded into one box. */
export class GroupCard {
  /** @param {import("./model.js").Graph["groups"][number]} group @param {(key: string) => string} hrefOf */
  constructor(group, hrefOf) {
    this.id = group.id;
    this.width = WIDTH;
    this.height = HEAD + STEP;
    this.head = new Item({ key: `group:${group.id}`, href: () => hrefOf(group.cells[0] ?? group.id), cls: "is-group", y: 0, height: HEAD, indent: 12 });
    this.items = [this.head];
    /** @type {SVGGElement | null} */
    this.element = null;
    this.counts = svg("text", { class: "dag-counts", x: 34, y: HEAD + STEP / 2 - 4, dy: "0.35em" });
  }

  build() {
    const head = this.head.build();
    this.head.detail();
    head.append(this.counts);
    head.setAttribute("aria-expanded", "false");
    return (this.element = svg("g", { class: "dag-card" },
      svg("rect", { class: "dag-frame is-behind", x: 4.5, y: 4.5, width: WIDTH - 1, height: this.height - 1, rx: 6 }),
      svg("rect", { class: "dag-frame", x: 0.5, y: 0.5, width: WIDTH - 1, height: this.height - 1, rx: 6 }), head));
  }

  detail() {}

  /** @param {import("./model.js").Model} model @param {number} _now */
  update(model, _now) {
    const group = model.graph.groups.find((one) => one.id === this.id);
    if (!group || !this.element) return;
    const counts = tally(group.statuses ?? {});
    const parts = counts.map(([status, n]) => `${n} ${statusWord(status).toLowerCase()}`);
    const status = counts[0]?.[0] ?? (model.isRun ? "pending" : "");
    const note = `${parts.length > 0 ? `${parts.join(", ")}. ` : ""}${t("Opens into its cells.")}`;
    this.head.show({ status, name: `${this.id} × ${group.cells.length}`, time: "▸", note });
    const short = counts.map(([one, n]) => `${n} ${SIGNS[one] ?? statusWord(one).toLowerCase()}`);
    const text = cut(short.length > 0 ? short.join("   ") : group.axes.join(" × "), WIDTH - 44, 5.6);
    if (this.counts.textContent !== text) this.counts.textContent = text;
    this.counts.setAttribute("x", status ? "34" : "12");
    const isCritical = group.cells.some((cell) => model.critical.has(cell));
    this.element.setAttribute("class", `dag-card ${status ? statusLook(status) : "is-idle"}${isCritical ? " is-critical" : ""}`);
  }
}
