// Makes DOM nodes. The page has no other way to make them: text stays text, whatever is in it.

import { effect, isSignal, Scope } from "./signal.js";

/**
 * @typedef {string | number | boolean | null | undefined | Node | import("./signal.js").ReadSignal<any> | (() => any) | Dynamic} SingleChild
 * @typedef {SingleChild | ReadonlyArray<any>} Child
 * @typedef {Record<string, any>} Props
 */

/** A child that keeps its own place up to date, such as `each`. */
export class Dynamic {
  /** @param {Node} _parent @param {Node} _anchor what it puts its nodes before */
  mount(_parent, _anchor) {}
}

const SVG = "http://www.w3.org/2000/svg";
const ADDRESSES = new Set(["href", "src", "action", "formaction", "poster", "cite", "data", "xlink:href", "srcset"]);
const REFUSED = new Set(["script", "style", "iframe", "object", "embed", "base", "link", "meta", "frame", "template"]);
/** Set as properties: their attributes are only what they start with. */
const PROPERTIES = new Set(["value", "checked", "selected", "indeterminate", "disabled", "open", "readOnly", "multiple"]);

/**
 * Whether an address may stand on the page: relative, http or https.
 * @param {string} address
 */
export function isSafeAddress(address) {
  // Browsers drop control characters and spaces before they look for the scheme.
  const text = address.replace(/[\u0000-\u0020\u007f-\u009f\u00a0\u2028\u2029]/g, "");
  const scheme = /^([a-zA-Z][a-zA-Z0-9+.-]*):/.exec(text);
  if (!scheme) return true;
  return ["http", "https"].includes(/** @type {string} */ (scheme[1]).toLowerCase());
}

/** @param {unknown} value @returns {any} */
function read(value) {
  if (typeof value === "function") return value();
  return isSignal(value) ? value.value : value;
}

/** @param {unknown} value */
const isLive = (value) => typeof value === "function" || isSignal(value);

/** @param {unknown} value @returns {string} */
function classes(value) {
  if (Array.isArray(value)) return value.map(classes).filter(Boolean).join(" ");
  if (value && typeof value === "object") {
    return Object.entries(value).filter(([, on]) => read(on)).map(([name]) => name).join(" ");
  }
  return value ? String(value) : "";
}

/** @param {Element} element @param {string} name @param {any} value */
function set(element, name, value) {
  if (name === "class") {
    const text = classes(value);
    if (text) element.setAttribute("class", text);
    else element.removeAttribute("class");
  } else if (PROPERTIES.has(name) && name in element) {
    const place = /** @type {any} */ (element);
    const wanted = name === "value" ? (value ?? "") : Boolean(value);
    // The same again would move the caret.
    if (place[name] !== wanted) place[name] = wanted;
  } else if (value === null || value === undefined || value === false) {
    element.removeAttribute(name);
  } else {
    const text = value === true ? "" : String(value);
    if (ADDRESSES.has(name.toLowerCase()) && !isSafeAddress(text)) {
      element.removeAttribute(name);
      element.setAttribute("data-refused", name);
      return;
    }
    if (element.getAttribute(name) !== text) element.setAttribute(name, text);
  }
}

/** @param {Element} element @param {Props} props */
function apply(element, props) {
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined) continue;
    if (name === "on") {
      for (const [event, handler] of Object.entries(value)) {
        if (handler) element.addEventListener(event, /** @type {EventListener} */ (handler));
      }
    } else if (name === "ref") {
      value(element);
    } else if (name === "vars") {
      // Lengths that come of data: custom properties, set through the style object, which the policy allows.
      const style = /** @type {HTMLElement | SVGElement} */ (element).style;
      for (const [key, part] of Object.entries(value)) {
        if (!key.startsWith("--")) throw new TypeError(`vars takes custom properties only, not ${key}.`);
        if (isLive(part)) effect(() => style.setProperty(key, String(read(part))));
        else style.setProperty(key, String(part));
      }
    } else if (name === "aria" || name === "data") {
      for (const [key, part] of Object.entries(value)) {
        const full = `${name}-${key}`;
        if (isLive(part)) effect(() => set(element, full, text(read(part))));
        else set(element, full, text(part));
      }
    } else if (/^on/i.test(name) || name === "style" || name === "innerHTML" || name === "srcdoc") {
      throw new TypeError(`h() refuses ${name}: listeners go into "on", looks into a class.`);
    } else if (isLive(value)) {
      effect(() => set(element, name, read(value)));
    } else if (name === "class" && value && typeof value === "object" && !Array.isArray(value)
      && Object.values(value).some(isLive)) {
      effect(() => set(element, name, value));
    } else {
      set(element, name, value);
    }
  }
}

/**
 * States and such are written out: `aria-expanded="false"` means something.
 * @param {unknown} value
 */
const text = (value) => (typeof value === "boolean" ? String(value) : value);

/** @param {Node} parent @param {Child} child */
export function append(parent, child) {
  if (child === null || child === undefined || child === false || child === true) return;
  if (Array.isArray(child)) {
    for (const one of child) append(parent, one);
  } else if (child instanceof Node) {
    parent.appendChild(child);
  } else if (child instanceof Dynamic) {
    const anchor = document.createTextNode("");
    parent.appendChild(anchor);
    child.mount(parent, anchor);
  } else if (isLive(child)) {
    live(parent, /** @type {any} */ (child));
  } else {
    parent.appendChild(document.createTextNode(String(child)));
  }
}

/**
 * A child that is made anew when what it read has changed; text is only changed.
 * @param {Node} parent @param {any} child
 */
function live(parent, child) {
  const anchor = document.createTextNode("");
  parent.appendChild(anchor);
  /** @type {ChildNode[]} */ let nodes = [];
  effect(() => {
    const value = read(child);
    const only = nodes.length === 1 ? nodes[0] : undefined;
    if ((typeof value === "string" || typeof value === "number") && only?.nodeType === 3) {
      const text = String(value);
      if (only.nodeValue !== text) only.nodeValue = text;
      return;
    }
    for (const node of nodes) node.remove();
    const part = document.createDocumentFragment();
    append(part, value);
    nodes = [.../** @type {NodeListOf<ChildNode>} */ (part.childNodes)];
    anchor.parentNode?.insertBefore(part, anchor);
  });
}

/**
 * Makes an element. Props: attributes; `class` (text, list, or object of switches); `on` (listeners by event); `aria`, `data`; `vars`
 * (custom properties); `ref`. A function or signal as a value or child is watched.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Props | null} [props]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, props, ...children) {
  if (REFUSED.has(tag)) throw new TypeError(`h() makes no <${tag}>.`);
  const element = document.createElement(tag);
  build(element, props, children);
  return element;
}

/**
 * The same for SVG.
 * @template {keyof SVGElementTagNameMap} K
 * @param {K} tag
 * @param {Props | null} [props]
 * @param {...Child} children
 * @returns {SVGElementTagNameMap[K]}
 */
export function svg(tag, props, ...children) {
  if (REFUSED.has(tag)) throw new TypeError(`svg() makes no <${tag}>.`);
  const element = document.createElementNS(SVG, tag);
  build(element, props, children);
  return element;
}

/** @param {Element} element @param {Props | null | undefined} props @param {Child[]} children */
function build(element, props, children) {
  // A select's value needs its options, so children come first.
  for (const child of children) append(element, child);
  if (props) apply(element, props);
}

/**
 * Several nodes without an element around them.
 * @param {...Child} children
 */
export function fragment(...children) {
  const part = document.createDocumentFragment();
  for (const child of children) append(part, child);
  return part;
}

/**
 * Puts `child` into `host`, in a scope of its own.
 * @param {Element} host
 * @param {() => Child} child
 * @returns {() => void} takes it away again
 */
export function mount(host, child) {
  const scope = new Scope();
  host.replaceChildren();
  scope.run(() => append(host, child()));
  return () => {
    scope.dispose();
    host.replaceChildren();
  };
}
