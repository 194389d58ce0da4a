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
/** So many boxes have all their letters at once; of more only those near the window. */
const DETAILED_MAX = 60;
/** Smaller than this letters are specks, and left out. */
const FAR = 0.35;
/** So far outside the window, in pixels of the picture, boxes have letters. */
const NEAR = 320;

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
    /** @type {import("./model.js").Model | null} What the layout is of. */
    this.drawn = null;
    this.selected = "";
    /** @type {Map<string, Card>} Links by their keys, to the boxes that they are of. */
    this.owners = new Map();
    /** @type {Set<Card>} Boxes without letters; the farther ones are not drawn at all. */
    this.bare = new Set();
    /** @type {Element | null} The link that Tab reaches. */
    this.stop = null;
    /** @type {Element | null} The link that is chosen. */
    this.current = null;
    /** @type {{rank: number, path: string, from: string, to: string}[]} */
    this.lines = [];
    this.frame = 0;
    this.opens = false;
    /** @type {import("./layout.js").Placed | null} */
    this.wanted = null;
    this.edges = svg("g", { class: "dag-edges", aria: { hidden: true } });
    this.nodes = svg("g", null);
    this.picture = svg("svg", { class: "dag", role: "group", aria: { label: t("Graph of the jobs") } }, this.edges, this.nodes);
    this.scroller = h("div", { class: "dag-scroll" }, /** @type {any} */ (this.picture));
    this.zoom = new PanZoom(this.scroller, this.picture);
    const size = h("output", { class: "dag-size" });
    this.zoom.onChange = () => {
      size.textContent = `${Math.round(this.zoom.scale * 100)} %`;
      this.later();
    };
    this.scroller.addEventListener("scroll", () => this.look(), { passive: true });
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
      if (place) this.reveal(place);
    });
  }

  /** @param {import("./layout.js").Placed} place */
  reveal(place) {
    this.zoom.reveal({ ...place, x: place.x + MARGIN, y: place.y + MARGIN });
    this.look();
  }

  /** What needs the window's measures is done once, before the next picture. */
  later() {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      if (this.opens) {
        this.opens = false;
        this.zoom.open();
      }
      if (this.wanted) this.zoom.reveal({ ...this.wanted, x: this.wanted.x + MARGIN, y: this.wanted.y + MARGIN });
      this.wanted = null;
      this.look();
    });
  }

  /** Draws the boxes that can be seen, with letters where those can be read. */
  look() {
    const { scale } = this.zoom;
    const isFar = scale < FAR && this.cards.size > DETAILED_MAX;
    this.picture.classList.toggle("is-far", isFar);
    if (this.bare.size === 0 || !this.layout) return;
    const { scrollLeft, scrollTop, clientWidth, clientHeight } = this.scroller;
    const [left, top] = [scrollLeft / scale - NEAR, scrollTop / scale - NEAR];
    const [right, bottom] = [left + clientWidth / scale + 2 * NEAR, top + clientHeight / scale + 2 * NEAR];
    const made = document.createDocumentFragment();
    for (const card of this.bare) {
      const place = this.layout.nodes.get(this.idOf(card));
      if (!place || place.x > right || place.x + place.width < left || place.y > bottom || place.y + place.height < top) continue;
      if (!card.element) made.append(this.build(card));
      if (isFar) continue;
      this.bare.delete(card);
      card.detail();
    }
    this.nodes.append(made);
  }

  /** @param {Card} card */
  build(card) {
    const place = this.layout?.nodes.get(this.idOf(card));
    const element = card.build();
    element.setAttribute("transform", `translate(${(place?.x ?? 0) + MARGIN} ${(place?.y ?? 0) + MARGIN})`);
    this.show(card);
    return element;
  }

  /** @param {Card} card */
  show(card) {
    const { model, now = 0 } = this;
    if (!model) return;
    const group = card instanceof JobCard ? model.groupOf.get(card.id) : undefined;
    card.update(model, now, group ? `${group} ${cellName(model.nodes.get(card.id)?.name ?? "", group)}` : undefined);
  }

  /** @param {string} id Of a group. @param {number} cells */
  isOpen(id, cells) {
    return this.opened.get(id) ?? cells <= CELLS_OPEN_MAX;
  }

  /** @param {import("./model.js").Model} model @param {number} now */
  update(model, now) {
    const { drawn } = this;
    const critical = this.model?.critical;
    this.model = model;
    this.now = now;
    if (!drawn || (drawn !== model && !model.hasShapeOf(drawn))) {
      this.opens ||= drawn === null;
      this.draw();
    } else if (critical && (critical.size !== model.critical.size || [...critical].some((id) => !model.critical.has(id)))) {
      this.drawEdges();
    }
    this.refresh();
  }

  /** States only. */
  refresh() {
    for (const card of this.cards.values()) if (card.element) this.show(card);
  }

  /** Lays out and draws what is there. */
  draw() {
    const { model } = this;
    if (!model) return;
    this.drawn = model;
    const groups = new Map(model.graph.groups.map((group) => [group.id, group]));
    const isFolded = (/** @type {string} */ id) => {
      const group = groups.get(model.groupOf.get(id) ?? "");
      return group !== undefined && !this.isOpen(group.id, group.cells.length);
    };
    const shown = [...model.jobs].filter(([id]) => !isFolded(id));
    const steps = shown.reduce((sum, [, job]) => sum + job.steps.length, 0);
    const showsSteps = shown.length <= JOBS_WITH_STEPS_MAX && steps <= STEPS_MAX;
    this.cards = new Map();
    /** @type {Map<string, string>} Jobs to the boxes that show them. */
    const shownAs = new Map();
    for (const [id, job] of model.jobs) {
      const group = groups.get(model.groupOf.get(id) ?? "");
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
    this.lines = drawn.edges.map(({ from, to, points }) => {
      const [a = "", b = ""] = (edges.get(`${from}\n${to}`)?.jobs ?? "").split("\n");
      return { rank: drawn.nodes.get(from)?.rank ?? 0, path: roundedPath(points.map(([x, y]) => [x + MARGIN, y + MARGIN])), from: a, to: b };
    });
    this.drawEdges();
    this.owners = new Map([...this.cards.values()].flatMap((card) => card.items.map((item) => [item.key, card])));
    this.bare = new Set(this.cards.values());
    this.nodes.replaceChildren();
    if (this.cards.size <= DETAILED_MAX) {
      this.nodes.append(...[...this.cards.values()].map((card) => this.build(card)));
      for (const card of this.cards.values()) card.detail();
      this.bare.clear();
    }
    this.zoom.resize(drawn.width + 2 * MARGIN + 4, drawn.height + 2 * MARGIN + 4);
    this.stop = null;
    this.mark(this.selected);
  }

  /** Few paths for many edges: those that leave one rank together, and those of the critical path. */
  drawEdges() {
    const critical = this.model?.critical;
    /** @type {Map<number, string>} */
    const ranks = new Map();
    let chosen = "";
    for (const { rank, path, from, to } of this.lines) {
      if (critical?.has(from) && critical.has(to)) chosen += path;
      else ranks.set(rank, (ranks.get(rank) ?? "") + path);
    }
    const paths = [...ranks.values()].map((d) => svg("path", { class: "dag-edge", d }));
    if (chosen) paths.push(svg("path", { class: "dag-edge is-critical", d: chosen }));
    this.edges.replaceChildren(...paths);
  }

  /** @param {string} key @returns {SVGAElement | undefined} */
  linkOf(key) {
    const card = this.owners.get(key);
    if (card && !card.element) this.nodes.append(this.build(card));
    return card?.items.find((item) => item.key === key)?.element ?? undefined;
  }

  /**
   * The one item that Tab reaches.
   * @param {string} key
   * @returns {Element | null}
   */
  rove(key) {
    const wanted = this.linkOf(key) ?? null;
    if (!wanted && this.stop?.isConnected) return null;
    this.stop?.setAttribute("tabindex", "-1");
    this.stop = wanted ?? this.linkOf([...this.cards.values()][0]?.items[0]?.key ?? "") ?? null;
    this.stop?.setAttribute("tabindex", "0");
    return wanted;
  }

  /**
   * Marks what is chosen; where its box shows only the job, or a folded group, that.
   * @param {string} key
   */
  mark(key) {
    this.current?.removeAttribute("aria-current");
    const job = key.split("/").length > 1 ? key.slice(0, key.lastIndexOf("/")) : key;
    const group = this.model?.groupOf.get(job);
    this.current = this.rove(key) ?? this.rove(job) ?? (group ? this.rove(`group:${group}`) : null);
    this.current?.setAttribute("aria-current", "true");
    return this.current;
  }

  /** @param {string} key */
  select(key) {
    this.selected = key;
    const item = this.mark(key);
    const card = item && this.cardOf(item);
    const place = card && this.layout?.nodes.get(this.idOf(card));
    if (!place) return;
    this.wanted = place;
    this.later();
  }

  /** @param {Element} target @returns {Card | undefined} */
  cardOf(target) {
    return this.owners.get(target.closest(".dag-item")?.getAttribute("data-key") ?? "");
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
    this.again();
    this.onFold();
    const first = this.model?.graph.groups.find((group) => group.id === id)?.cells[0];
    const item = first ? this.rove(first) : null;
    /** @type {HTMLElement | null} */ (/** @type {unknown} */ (item))?.focus();
  }

  /** @param {string} id */
  fold(id) {
    this.opened.set(id, false);
    this.again();
    this.onFold();
    /** @type {HTMLElement | null} */ (/** @type {unknown} */ (this.rove(`group:${id}`)))?.focus();
  }

  /** Lays out anew what is the same. */
  again() {
    this.draw();
    this.refresh();
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
    /** @type {any} */ (this.rove(next.key))?.focus();
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
    cancelAnimationFrame(this.frame);
    this.zoom.dispose();
  }
}
