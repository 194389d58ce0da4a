// Where in a YAML text one is: keys and items on the way to a place, found line by line, so that a text that cannot be read yet has
// places too. It knows the YAML that people write by hand: block and flow maps and lists, comments, quotes and block texts.

/**
 * @typedef {(string | number)[]} Path Keys, and numbers of items from 0.
 * @typedef {{ path: Path, key: string, value: string, line: number }} Entry A key under `path`; `value` where it is a plain word.
 * @typedef {{ path: Path, isKey: boolean, isValue: boolean, prefix: string, isFlow: boolean }} Place
 *   `path` is of the map that a key would belong to, and of the value that a word would be.
 * @typedef {{ kind: "map" | "list", indent: number, path: Path, at: Path, count: number }} Block
 * @typedef {{ kind: "map" | "list", path: Path, key: string | null, count: number, word: string, entry: Entry | null }} Flow
 */

const KEY = /^("(?:[^"\\]|\\.)*"|'[^']*'|[^\s#{}[\],&*!|>'"%@`-][^#]*?|-[^\s#][^#]*?)\s*:(?=\s|$)/;

/** @param {string} text */
const bare = (text) => text.trim().replace(/^(["'])(.*)\1$/, "$2");

/** @param {string} text Without a comment behind it. */
function withoutComment(text) {
  let quote = "";
  for (let at = 0; at < text.length; at++) {
    const one = text[at];
    if (quote) {
      if (one === quote) quote = "";
    } else if ((one === '"' || one === "'") && (at === 0 || /[\s[{,:]/.test(text[at - 1] ?? ""))) {
      quote = one;
    } else if (one === "#" && (at === 0 || /\s/.test(text[at - 1] ?? ""))) {
      return text.slice(0, at);
    }
  }
  return text;
}

class Scanner {
  constructor() {
    /** @type {Entry[]} */ this.entries = [];
    /** @type {Block[]} */ this.blocks = [];
    /** @type {Flow[]} */ this.flows = [];
    /** The indent of a block text's key; below 0 outside of one. */
    this.textIndent = -1;
    this.line = 0;
    /** @type {Place | null} */ this.place = null;
  }

  /** @param {string} text @param {boolean} isLast whether the place is at its end */
  take(text, isLast) {
    const indent = text.length - text.trimStart().length;
    this.place = null;
    if (this.flows.length > 0) {
      this.flow(text, isLast);
    } else if (this.textIndent >= 0 && (text.trim() === "" || indent > this.textIndent)) {
      // A line of a block text: nothing of ours.
      if (isLast && text.trim() === "" && indent <= this.textIndent) this.block(text, indent, isLast);
    } else {
      this.textIndent = -1;
      if (isLast || withoutComment(text).trim() !== "") this.block(text, indent, isLast);
    }
    this.line++;
  }

  /** @param {string} text @param {number} indent @param {boolean} isLast */
  block(text, indent, isLast) {
    const { blocks } = this;
    const whole = withoutComment(text);
    if (isLast && whole.length < text.length) return;
    if (/^(---|\.\.\.)(\s|$)/.test(whole)) {
      blocks.length = 0;
      return;
    }
    let rest = whole.slice(indent);
    while ((blocks.at(-1)?.indent ?? -1) > indent) blocks.pop();
    const isItem = /^-(\s|$)/.test(rest);
    if (!isItem && blocks.at(-1)?.kind === "list" && blocks.at(-1)?.indent === indent) blocks.pop();
    while (/^-(\s|$)/.test(rest)) {
      const list = this.enter("list", indent);
      list.at = [...list.path, list.count++];
      const width = rest.length - rest.slice(1).trimStart().length;
      rest = rest.slice(width);
      indent += width;
    }
    const [head, key] = KEY.exec(rest) ?? [];
    if (head === undefined || key === undefined) {
      const top = blocks.at(-1);
      const path = top?.kind === "map" && top.indent === indent ? top.path : this.within();
      if (isLast && !/^[{[]/.test(rest)) this.place = { path, isKey: true, isValue: true, prefix: rest, isFlow: false };
      else if (/^[{[]/.test(rest)) this.open(rest, path, isLast);
      return;
    }
    const map = this.enter("map", indent);
    map.at = [...map.path, bare(key)];
    const value = rest.slice(head.length);
    this.entries.push({ path: map.path, key: bare(key), value: bare(value), line: this.line });
    const plain = value.trimStart();
    if (/^[|>]/.test(plain)) this.textIndent = indent;
    else if (/^[{[]/.test(plain)) this.open(plain, map.at, isLast);
    else if (isLast) this.place = /^\s/.test(value) ? { path: map.at, isKey: false, isValue: true, prefix: plain, isFlow: false } : null;
  }

  /**
   * The block that begins at a column, or goes on there.
   * @param {"map" | "list"} kind @param {number} indent @returns {Block}
   */
  enter(kind, indent) {
    const top = this.blocks.at(-1);
    if (top?.kind === kind && top.indent === indent) return top;
    /** @type {Block} */
    const made = { kind, indent, path: this.within(), at: [], count: 0 };
    this.blocks.push(made);
    return made;
  }

  /** What a deeper block belongs to. @returns {Path} */
  within() {
    return this.blocks.at(-1)?.at ?? [];
  }

  /** @param {string} text @param {Path} path @param {boolean} isLast */
  open(text, path, isLast) {
    this.root = path;
    this.flow(text, isLast);
  }

  /** @param {string} text @param {boolean} isLast */
  flow(text, isLast) {
    const { flows } = this;
    const whole = withoutComment(text);
    let quote = "";
    for (let at = 0; at < whole.length; at++) {
      const one = whole[at] ?? "";
      const top = flows.at(-1);
      if (quote) {
        if (one === quote) quote = "";
        if (top) top.word += one;
      } else if ((one === '"' || one === "'") && (top?.word.trim() ?? "") === "") {
        quote = one;
        if (top) top.word += one;
      } else if (one === "{" || one === "[") {
        const path = top ? this.target(top) : this.root ?? [];
        flows.push({ kind: one === "{" ? "map" : "list", path, key: null, count: 0, word: "", entry: null });
      } else if (one === "}" || one === "]") {
        this.end(top);
        flows.pop();
        if (flows.length === 0) return;
      } else if (one === ",") {
        this.end(top);
        if (top) Object.assign(top, { key: null, word: "", count: top.count + 1 });
      } else if (one === ":" && top?.kind === "map" && top.key === null && (at + 1 >= whole.length || /[\s,}\]]/.test(whole[at + 1] ?? ""))) {
        top.key = bare(top.word);
        top.entry = { path: top.path, key: top.key, value: "", line: this.line };
        this.entries.push(top.entry);
        top.word = "";
      } else if (top) {
        top.word += one;
      }
    }
    const top = flows.at(-1);
    if (!isLast || !top || quote || whole.length < text.length) return;
    const isKey = top.kind === "map" && top.key === null;
    this.place = { path: isKey ? top.path : this.target(top), isKey, isValue: !isKey, prefix: top.word.trimStart(), isFlow: true };
  }

  /** @param {Flow} top @returns {Path} */
  target(top) {
    return top.kind === "list" ? [...top.path, top.count] : [...top.path, top.key ?? ""];
  }

  /** @param {Flow | undefined} top */
  end(top) {
    if (top?.entry && top.word.trim()) top.entry.value = bare(top.word);
    else if (top?.kind === "list" && top.word.trim()) this.entries.push({ path: top.path, key: String(top.count), value: bare(top.word), line: this.line });
  }
}

/**
 * All keys of a text.
 * @param {string} text
 */
export function entriesOf(text) {
  const scanner = new Scanner();
  for (const line of text.split("\n")) scanner.take(line.replace(/\r$/, ""), false);
  return scanner.entries;
}

/**
 * What could stand at a place; nothing in comments, texts and quotes.
 * @param {string} text @param {number} line from 0 @param {number} column from 0
 * @returns {Place | null}
 */
export function placeAt(text, line, column) {
  const scanner = new Scanner();
  const lines = text.split("\n").slice(0, line + 1);
  lines.forEach((one, at) => scanner.take(at === line ? one.slice(0, column) : one.replace(/\r$/, ""), at === line));
  return scanner.place;
}
