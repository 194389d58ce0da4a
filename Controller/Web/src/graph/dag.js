// The graph of a run: jobs from left to right as they need each other. The layout depends on the definition only, so that states come
// and go without anything moving.

import { h, svg } from "../core/h.js";
import { t } from "../core/i18n.js";
import { GroupCard, JobCard } from "./cards.js";
import { layout } from "./layout.js";
import { CELLS_OPEN_MAX, cellName } from "./model.js";
import { PanZoom } from "./panzoom.js";
import { roundedPath } from "./route.js";

const MARGIN = 16;
/** With more jobs, or more steps in all, boxes show jobs only. */
const JOBS_WITH_STEPS_MAX = 16;
const STEPS_MAX = 60;

/** @typedef {JobCard | GroupCard} Card */

export class Dag {
  /**
   * @param {HTMLElement} host
   * @param {{hrefOf: (key: string) => string, onSelect: (key: string) => void}} options
   */
  constructor(host, { hrefOf, onSelect }) {
    this.hrefOf = hrefOf;
    this.onSelect = onSelect;
    /** @type {Map<string, boolean>} Groups that were opened or closed. */
    this.opened = new Map();
    /** @type {Map<string, Card>} */
    this.cards = new Map();
    /** @type {import("./layout.js").Layout | null} */
    this.layout = null;
    this.shape = "";
    this.selected = "";
    this.edges = svg("g", { class: "dag-edges", aria: { hidden: true } });
    this.nodes = svg("g", null);
    this.picture = svg("svg", { class: "dag", role: "group", aria: { label: t("Graph of the jobs") } }, this.edges, this.nodes);
    this.scroller = h("div", { class: "dag-scroll" }, /** @type {any} */ (this.picture));
    this.zoom = new PanZoom(this.scroller, this.picture);
    const size = h("output", { class: "dag-size" });
    this.zoom.onChange = () => (size.textContent = `${Math.round(this.zoom.scale * 100)} %`);
    const button = (/** @type {string} */ text, /** @type {string} */ title, /** @type {() => void} */ run) =>
      h("button", { class: "button is-small", type: "button", title, aria: { label: title }, on: { click: run } }, text);
    this.controls = h("div", { class: "dag-controls", role: "group", aria: { label: t("Zoom") } },
      button(t("Fit"), t("Fit the whole graph"), () => this.zoom.fit()), button("100 %", t("Actual size"), () => this.zoom.zoomTo(1)),
      button("−", t("Smaller"), () => this.zoom.step(-1)), button("+", t("Larger"), () => this.zoom.step(1)), size);
    host.append(this.scroller);
    this.picture.addEventListener("click", (event) => this.click(event));
    this.picture.addEventListener("keydown", (event) => this.key(event));
    this.picture.addEventListener("focusin", (event) => {
      const card = this.cardOf(/** @type {Element} */ (event.target));
      const place = card && this.layout?.nodes.get(this.idOf(card));
      if (place) this.zoom.reveal({ ...place, x: place.x + MARGIN, y: place.y + MARGIN });
    });
  }

  /** @param {string} id Of a group. @param {number} cells */
  isOpen(id, cells) {
    return this.opened.get(id) ?? cells <= CELLS_OPEN_MAX;
  }

  /** @param {import("./model.js").Model} model @param {number} now */
  update(model, now) {
    const shape = model.shape + JSON.stringify([...this.opened]);
    this.model = model;
    this.now = now;
    if (shape !== this.shape) {
      const isFirst = this.shape === "";
      this.shape = shape;
      this.draw();
      if (isFirst) requestAnimationFrame(() => this.zoom.open());
    }
    this.refresh();
  }

  /** States only. */
  refresh() {
    const { model, now = 0 } = this;
    if (!model) return;
    for (const card of this.cards.values()) {
      const group = card instanceof JobCard ? model.groupOf.get(card.id) : undefined;
      const label = group ? `${group} ${cellName(model.nodes.get(card.id)?.name ?? "", group)}` : undefined;
      card.update(model, now, label);
    }
    for (const path of this.edges.children) {
      const [from, to] = (path.getAttribute("data-jobs") ?? "").split("\n");
      path.classList.toggle("is-critical", model.critical.has(from ?? "") && model.critical.has(to ?? ""));
    }
  }

  /** Lays out and draws what is there. */
  draw() {
    const { model } = this;
    if (!model) return;
    const isFolded = (/** @type {string} */ id) => {
      const group = model.graph.groups.find((one) => one.id === model.groupOf.get(id));
      return group !== undefined && !this.isOpen(group.id, group.cells.length);
    };
    const shown = [...model.jobs].filter(([id]) => !isFolded(id));
    const steps = shown.reduce((sum, [, job]) => sum + job.steps.length, 0);
    const showsSteps = shown.length <= JOBS_WITH_STEPS_MAX && steps <= STEPS_MAX;
    this.cards = new Map();
    /** @type {Map<string, string>} Jobs to the boxes that show them. */
    const shownAs = new Map();
    for (const [id, job] of model.jobs) {
      const name = model.groupOf.get(id);
      const group = name === undefined ? undefined : model.graph.groups.find((one) => one.id === name);
      if (group && !this.isOpen(group.id, group.cells.length)) {
        shownAs.set(id, `group:${group.id}`);
        if (!this.cards.has(`group:${group.id}`)) this.cards.set(`group:${group.id}`, new GroupCard(group, this.hrefOf));
      } else {
        shownAs.set(id, id);
        this.cards.set(id, new JobCard(job, showsSteps && (!group || group.cells.length <= 6), this.hrefOf));
      }
    }
    /** @type {Map<string, {from: string, to: string, jobs: string}>} */
    const edges = new Map();
    for (const { from, to } of model.needs) {
      const [a, b] = [shownAs.get(from) ?? from, shownAs.get(to) ?? to];
      // Of several needs between two boxes the one on the critical path speaks for all.
      if (a !== b && (!edges.has(`${a}\n${b}`) || (model.critical.has(from) && model.critical.has(to)))) edges.set(`${a}\n${b}`, { from: a, to: b, jobs: `${from}\n${to}` });
    }
    const boxes = [...this.cards].map(([id, card]) => ({ id, width: card.width, height: card.height }));
    const drawn = layout({ nodes: boxes, edges: [...edges.values()] });
    this.layout = drawn;
    this.nodes.replaceChildren(...[...this.cards].map(([id, card]) => {
      const place = drawn.nodes.get(id);
      card.element.setAttribute("transform", `translate(${(place?.x ?? 0) + MARGIN} ${(place?.y ?? 0) + MARGIN})`);
      return card.element;
    }));
    this.edges.replaceChildren(...drawn.edges.map(({ from, to, points }) =>
      svg("path", { class: "dag-edge", d: roundedPath(points.map(([x, y]) => [x + MARGIN, y + MARGIN])), data: { jobs: edges.get(`${from}\n${to}`)?.jobs ?? "" } })));
    this.zoom.resize(drawn.width + 2 * MARGIN + 4, drawn.height + 2 * MARGIN + 4);
    this.rove(this.selected);
  }

  /**
   * The one item that Tab reaches.
   * @param {string} key
   * @returns {Element | null}
   */
  rove(key) {
    /** @type {Element | null} */
    let wanted = null;
    /** @type {Element | null} */
    let first = null;
    for (const item of this.picture.querySelectorAll(".dag-item")) {
      item.setAttribute("tabindex", "-1");
      first ??= item;
      if (item.getAttribute("data-key") === key) wanted = item;
    }
    (wanted ?? first)?.setAttribute("tabindex", "0");
    return wanted;
  }

  /** @param {string} key */
  select(key) {
    this.selected = key;
    for (const item of this.picture.querySelectorAll("[aria-current]")) item.removeAttribute("aria-current");
    const job = key.split("/").length > 1 ? key.slice(0, key.lastIndexOf("/")) : key;
    const group = this.model?.groupOf.get(job);
    /** @type {Element | null} */
    const item = this.rove(key) ?? this.rove(job) ?? (group ? this.rove(`group:${group}`) : null);
    item?.setAttribute("aria-current", "true");
    const card = item && this.cardOf(item);
    const place = card && this.layout?.nodes.get(this.idOf(card));
    if (place) requestAnimationFrame(() => this.zoom.reveal({ ...place, x: place.x + MARGIN, y: place.y + MARGIN }));
  }

  /** @param {Element} target @returns {Card | undefined} */
  cardOf(target) {
    const key = target.closest(".dag-item")?.getAttribute("data-key");
    return [...this.cards.values()].find((card) => card.items.some((item) => item.key === key));
  }

  /** @param {Card} card */
  idOf(card) {
    return card instanceof GroupCard ? `group:${card.id}` : card.id;
  }

  /** @param {MouseEvent} event */
  click(event) {
    const item = /** @type {Element} */ (event.target).closest(".dag-item");
    const key = item?.getAttribute("data-key");
    if (!key || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    if (key.startsWith("group:")) this.open(key.slice(6));
    else this.onSelect(key);
  }

  /**
   * Opens a group, and goes to its first cell.
   * @param {string} id
   */
  open(id) {
    this.opened.set(id, true);
    if (this.model) this.update(this.model, this.now ?? 0);
    this.onFold();
    const first = this.model?.graph.groups.find((group) => group.id === id)?.cells[0];
    const item = first ? this.rove(first) : null;
    /** @type {HTMLElement | null} */ (/** @type {unknown} */ (item))?.focus();
  }

  /** @param {string} id */
  fold(id) {
    this.opened.set(id, false);
    if (this.model) this.update(this.model, this.now ?? 0);
    this.onFold();
    /** @type {HTMLElement | null} */ (/** @type {unknown} */ (this.rove(`group:${id}`)))?.focus();
  }

  /** Groups were opened or folded. */
  onFold() {}

  /** @param {KeyboardEvent} event */
  key(event) {
    const target = /** @type {Element} */ (event.target).closest(".dag-item");
    const card = target && this.cardOf(target);
    if (!target || !card || event.ctrlKey || event.metaKey || event.altKey) return;
    const at = card.items.findIndex((item) => item.key === target.getAttribute("data-key"));
    let next = null;
    if (event.key === "ArrowDown") next = card.items[at + 1] ?? this.beside(card, 1)?.items[0];
    else if (event.key === "ArrowUp") next = card.items[at - 1] ?? this.beside(card, -1)?.items.at(-1);
    else if (event.key === "ArrowRight") next = this.along(card, 1)?.items[0];
    else if (event.key === "ArrowLeft") next = this.along(card, -1)?.items[0];
    else if (event.key === "Home") next = [...this.cards.values()][0]?.items[0];
    else if (event.key === " ") /** @type {any} */ (target).dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true }));
    else if (event.key === "Escape" && card instanceof JobCard && this.model?.groupOf.has(card.id)) this.fold(/** @type {string} */ (this.model.groupOf.get(card.id)));
    else if (event.key === "+" || event.key === "-") this.zoom.step(event.key === "+" ? 1 : -1);
    else return;
    event.preventDefault();
    if (!next) return;
    this.rove(next.key);
    /** @type {any} */ (next.element).focus();
  }

  /**
   * The box above or below in its rank.
   * @param {Card} card @param {1 | -1} way
   */
  beside(card, way) {
    const place = this.layout?.nodes.get(this.idOf(card));
    const rank = place && this.layout?.ranks[place.rank];
    const id = rank?.[rank.indexOf(this.idOf(card)) + way];
    return id === undefined ? undefined : this.cards.get(id);
  }

  /**
   * The nearest box along an edge.
   * @param {Card} card @param {1 | -1} way
   */
  along(card, way) {
    const id = this.idOf(card);
    const here = this.layout?.nodes.get(id);
    if (!here || !this.layout) return undefined;
    const middle = here.y + here.height / 2;
    let best = null;
    for (const edge of this.layout.edges) {
      if ((way > 0 ? edge.from : edge.to) !== id) continue;
      const place = this.layout.nodes.get(way > 0 ? edge.to : edge.from);
      if (!place) continue;
      const far = Math.abs(place.y + place.height / 2 - middle) + 1000 * Math.abs(place.rank - here.rank);
      if (!best || far < best.far) best = { far, id: place.id };
    }
    return best ? this.cards.get(best.id) : undefined;
  }

  dispose() {
    this.zoom.dispose();
  }
}
