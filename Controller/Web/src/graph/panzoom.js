// Zoom and pan by means of the browser's own scroll bars: nothing can be dragged out of sight, and every drag has a button or a key.

/** The smallest scale that a graph opens with: its smallest letters have 11 pixels then. */
export const OPEN_MIN = 0.92;
const MIN = 0.1;
const MAX = 2;
const STEP = 1.25;

export class PanZoom {
  /** @param {HTMLElement} scroller @param {SVGSVGElement} picture */
  constructor(scroller, picture) {
    this.scroller = scroller;
    this.picture = picture;
    this.width = 1;
    this.height = 1;
    this.scale = 1;
    /** @type {() => void} */
    this.onChange = () => {};
    const controller = new AbortController();
    this.controller = controller;
    const { signal } = controller;
    scroller.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      this.zoomTo(this.scale * STEP ** (-event.deltaY / 100), event.clientX, event.clientY);
    }, { signal, passive: false });
    /** @type {{x: number, y: number, left: number, top: number} | null} */
    let held = null;
    scroller.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || event.pointerType === "touch" || /** @type {Element} */ (event.target).closest("a")) return;
      const box = scroller.getBoundingClientRect();
      if (event.clientX - box.left >= scroller.clientWidth || event.clientY - box.top >= scroller.clientHeight) return;
      held = { x: event.clientX, y: event.clientY, left: scroller.scrollLeft, top: scroller.scrollTop };
      scroller.setPointerCapture(event.pointerId);
    }, { signal });
    scroller.addEventListener("pointermove", (event) => {
      if (held) scroller.scrollTo(held.left - event.clientX + held.x, held.top - event.clientY + held.y);
    }, { signal });
    const end = () => (held = null);
    scroller.addEventListener("pointerup", end, { signal });
    scroller.addEventListener("pointercancel", end, { signal });
  }

  /**
   * The picture has this size at 100 %.
   * @param {number} width @param {number} height
   */
  resize(width, height) {
    this.width = Math.max(1, width);
    this.height = Math.max(1, height);
    this.picture.setAttribute("viewBox", `0 0 ${this.width} ${this.height}`);
    this.apply();
  }

  apply() {
    this.picture.setAttribute("width", String(Math.floor(this.width * this.scale)));
    this.picture.setAttribute("height", String(Math.floor(this.height * this.scale)));
    this.onChange();
  }

  /** The scale at which all of it is seen. */
  get whole() {
    const { clientWidth, clientHeight } = this.scroller;
    return Math.min(1, clientWidth / this.width, clientHeight / this.height);
  }

  /** As it opens: all of it, but never so small that it can't be read. */
  open() {
    this.scale = Math.max(OPEN_MIN, this.whole || 1);
    this.apply();
  }

  fit() {
    this.scale = Math.max(0.01, this.whole);
    this.apply();
  }

  /** @param {1 | -1} way */
  step(way) {
    const box = this.scroller.getBoundingClientRect();
    this.zoomTo(this.scale * STEP ** way, box.left + box.width / 2, box.top + box.height / 2);
  }

  /**
   * Zooms and keeps a place of the page where it is.
   * @param {number} scale @param {number} [x] @param {number} [y]
   */
  zoomTo(scale, x, y) {
    const { scroller } = this;
    const box = scroller.getBoundingClientRect();
    const [px, py] = [(x ?? box.left) - box.left, (y ?? box.top) - box.top];
    const [gx, gy] = [(scroller.scrollLeft + px) / this.scale, (scroller.scrollTop + py) / this.scale];
    this.scale = Math.min(MAX, Math.max(MIN, scale));
    if (Math.abs(this.scale - 1) < 0.04) this.scale = 1;
    this.apply();
    scroller.scrollTo(gx * this.scale - px, gy * this.scale - py);
  }

  /** @param {{x: number, y: number, width: number, height: number}} box Of the picture, brought into sight. */
  reveal({ x, y, width, height }) {
    const { scroller, scale } = this;
    const near = 24;
    const [left, top] = [x * scale, y * scale];
    const [right, bottom] = [(x + width) * scale, (y + height) * scale];
    if (left < scroller.scrollLeft) scroller.scrollLeft = left - near;
    else if (right > scroller.scrollLeft + scroller.clientWidth) scroller.scrollLeft = right - scroller.clientWidth + near;
    if (top < scroller.scrollTop) scroller.scrollTop = top - near;
    else if (bottom > scroller.scrollTop + scroller.clientHeight) scroller.scrollTop = bottom - scroller.clientHeight + near;
  }

  dispose() {
    this.controller.abort();
  }
}
