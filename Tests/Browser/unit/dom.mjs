// The few parts of the DOM that h() and each() use, for tests without a browser.

class Node {
  constructor() {
    this.childNodes = [];
    this.parentNode = null;
  }
  get nextSibling() {
    const all = this.parentNode?.childNodes ?? [];
    return all[all.indexOf(this) + 1] ?? null;
  }
  remove() {
    if (!this.parentNode) return;
    const all = this.parentNode.childNodes;
    all.splice(all.indexOf(this), 1);
    this.parentNode = null;
  }
  insertBefore(node, before) {
    Node.moves++;
    const nodes = node instanceof Fragment ? [...node.childNodes] : [node];
    for (const one of nodes) {
      one.remove();
      const at = before ? this.childNodes.indexOf(before) : this.childNodes.length;
      this.childNodes.splice(at, 0, one);
      one.parentNode = this;
    }
    return node;
  }
  appendChild(node) {
    return this.insertBefore(node, null);
  }
  replaceChildren() {
    for (const one of [...this.childNodes]) one.remove();
  }
  get textContent() {
    return this.childNodes.map((one) => one.textContent).join("");
  }
}
Node.moves = 0;
class Text extends Node {
  constructor(text) {
    super();
    this.nodeType = 3;
    this.nodeValue = text;
  }
  get textContent() {
    return this.nodeValue;
  }
}
class Fragment extends Node {}
class Element extends Node {
  constructor(tag) {
    super();
    this.tag = tag;
    this.nodeType = 1;
    this.attributes = new Map();
    this.listeners = [];
    this.style = { setProperty: (name, value) => this.attributes.set(name, value) };
  }
  setAttribute(name, value) {
    this.attributes.set(name, String(value));
  }
  getAttribute(name) {
    return this.attributes.get(name) ?? null;
  }
  removeAttribute(name) {
    this.attributes.delete(name);
  }
  addEventListener(event, handler) {
    this.listeners.push([event, handler]);
  }
}

globalThis.Node = Node;
globalThis.document = {
  createElement: (tag) => new Element(tag),
  createElementNS: (_, tag) => new Element(tag),
  createTextNode: (text) => new Text(text),
  createDocumentFragment: () => new Fragment(),
  getElementById: () => null,
};
export { Node };
