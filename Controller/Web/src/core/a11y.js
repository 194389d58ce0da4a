// What is said to those who do not see the page.

/** @type {HTMLElement | null} */
let region = null;
/** @type {ReturnType<typeof setTimeout> | null} */
let timer = null;
/** @type {string[]} */
let waiting = [];

/**
 * Says `text` politely, once; several of one moment are said together.
 * @param {string} text
 */
export function announce(text) {
  region ??= document.getElementById("announcer");
  if (!region || waiting.includes(text)) return;
  waiting.push(text);
  timer ??= setTimeout(() => {
    timer = null;
    if (region) region.textContent = waiting.join(". ");
    waiting = [];
  }, 150);
}

/**
 * Moves the focus to where a new page begins.
 * @param {Element | null} element
 */
export function focusOn(element) {
  if (!(element instanceof HTMLElement)) return;
  if (!element.hasAttribute("tabindex")) element.setAttribute("tabindex", "-1");
  element.focus({ preventScroll: true });
}

let ids = 0;
/**
 * An id that no other element has.
 * @param {string} [word]
 */
export const uniqueId = (word = "id") => `${word}-${++ids}`;
