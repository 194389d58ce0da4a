// A strip beside the log: where errors, warnings and matches are, and where the reader is. It is a picture; everything that it leads to
// can be reached by keys and buttons too.

const WIDTH = 12;

/** @typedef {{color: string, rows: number[], side: "left" | "right" | "all"}} Mark */

export class Minimap {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    /** @type {(part: number) => void} Somebody points at a place, from 0 to 1. */
    this.onGo = () => {};
    /** @type {Map<string, string>} */
    this.colors = new Map();
    this.height = 0;
    this.ratio = 1;
    const go = (/** @type {PointerEvent} */ event) => {
      const box = canvas.getBoundingClientRect();
      this.onGo(Math.min(1, Math.max(0, (event.clientY - box.top) / box.height)));
    };
    canvas.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      canvas.setPointerCapture(event.pointerId);
      go(event);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (canvas.hasPointerCapture(event.pointerId)) go(event);
    });
  }

  /** @param {number} height */
  resize(height) {
    const ratio = Math.min(2, globalThis.devicePixelRatio || 1);
    if (height === this.height && ratio === this.ratio) return;
    this.height = height;
    this.ratio = ratio;
    this.canvas.width = Math.round(WIDTH * ratio);
    this.canvas.height = Math.round(height * ratio);
    this.colors.clear();
  }

  /** The theme has changed. */
  forget() {
    this.colors.clear();
  }

  /** @param {string} name */
  color(name) {
    let color = this.colors.get(name);
    if (color === undefined) {
      // Custom properties keep `light-dark()` as text: only a property that was worked out has the colour.
      this.canvas.style.setProperty("color", `var(--${name})`);
      color = getComputedStyle(this.canvas).color;
      this.canvas.style.removeProperty("color");
      this.colors.set(name, color);
    }
    return color;
  }

  /**
   * @param {object} state
   * @param {number} state.rows Shown rows. @param {number} state.first @param {number} state.last Rows in sight.
   * @param {Mark[]} state.marks
   */
  draw({ rows, first, last, marks }) {
    const context = this.canvas.getContext("2d");
    if (!context || this.height === 0) return;
    const { width, height } = this.canvas;
    context.clearRect(0, 0, width, height);
    if (rows === 0) return;
    const unit = Math.max(2, Math.round(2 * this.ratio));
    for (const { color, rows: list, side } of marks) {
      context.fillStyle = this.color(color);
      const left = side === "right" ? width / 2 : 0;
      const wide = side === "all" ? width : width / 2;
      let before = -unit;
      for (const row of list) {
        const y = Math.floor((row / rows) * (height - unit));
        if (y < before + 1) continue;
        before = y;
        context.fillRect(left, y, wide, unit);
      }
    }
    // Where all of it is in sight, nothing has to be found.
    if (first <= 0 && last >= rows - 1) return;
    context.fillStyle = this.color("log-thumb");
    const top = (first / rows) * height;
    context.globalAlpha = 0.25;
    context.fillRect(0, top, width, Math.max(6 * this.ratio, ((last - first + 1) / rows) * height));
    context.globalAlpha = 1;
  }
}
