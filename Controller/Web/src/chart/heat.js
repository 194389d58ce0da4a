// A strip of runs, newest last: each a link with shape, word and colour.

import { h } from "../core/h.js";
import { statusGlyph, statusLook, statusWord } from "../ui/status.js";

/**
 * @param {{label: string, status: string, href: string, detail?: string}[]} cells
 * @param {string} title
 * @returns {HTMLElement}
 */
export function heatStrip(cells, title) {
  return h("ol", { class: "heat", aria: { label: title } },
    ...cells.map(({ label, status, href, detail }) => {
      const words = [label, statusWord(status), detail].filter(Boolean).join(", ");
      return h("li", null, h("a", { class: ["heat-cell", statusLook(status)], href, title: words, aria: { label: words } }, statusGlyph(status)));
    }));
}
