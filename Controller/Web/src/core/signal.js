// Reactive values: what reads a signal is run again when it changes, once for all changes of a turn.

/**
 * @template T
 * @typedef {{ value: T, peek(): T, readonly isSignal: true }} Signal
 */
/**
 * @template T
 * @typedef {{ readonly value: T, peek(): T, readonly isSignal: true }} ReadSignal
 */

/** Anything that is told of changes of what it has read. */
class Reader {
  constructor() {
    /** @type {Set<Source>} */ this.sources = new Set();
  }
  changed() {}
  forget() {
    for (const source of this.sources) source.readers.delete(this);
    this.sources.clear();
  }
}

/** Anything that can be read. */
class Source {
  constructor() {
    /** @type {Set<Reader>} */ this.readers = new Set();
  }
  track() {
    if (!reading) return;
    this.readers.add(reading);
    reading.sources.add(this);
  }
  tell() {
    for (const reader of [...this.readers]) reader.changed();
  }
}

/** @type {Reader | null} */ let reading = null;
/** @type {Scope | null} */ let owner = null;
/** @type {Set<Effect>} */ let waiting = new Set();
let isScheduled = false;
let held = 0;

/** An effect that keeps making itself run again is a fault of ours; it must not hang the page. */
const ROUNDS_MAX = 100;

function schedule() {
  if (isScheduled || held > 0) return;
  isScheduled = true;
  queueMicrotask(flush);
}

/** Runs what waits for changes, now. */
export function flush() {
  isScheduled = false;
  for (let round = 0; waiting.size > 0; round++) {
    if (round === ROUNDS_MAX) {
      waiting = new Set();
      throw new Error("Effects make each other run for ever.");
    }
    const now = waiting;
    waiting = new Set();
    for (const effect of now) effect.run();
  }
}

/** @template T @implements {Signal<T>} */
class Value extends Source {
  /** @param {T} value */
  constructor(value) {
    super();
    this.held = value;
    /** @type {true} */ this.isSignal = true;
  }
  get value() {
    this.track();
    return this.held;
  }
  set value(next) {
    if (Object.is(next, this.held)) return;
    this.held = next;
    this.tell();
  }
  peek() {
    return this.held;
  }
}

/** @template T */
class Computed extends Source {
  /** @param {() => T} make */
  constructor(make) {
    super();
    this.make = make;
    this.isDirty = true;
    /** @type {T | undefined} */ this.held = undefined;
    /** @type {true} */ this.isSignal = true;
    this.reader = new Reader();
    this.reader.changed = () => {
      if (this.isDirty) return;
      this.isDirty = true;
      this.tell();
    };
  }
  refresh() {
    if (!this.isDirty) return;
    this.reader.forget();
    const before = reading;
    reading = this.reader;
    try {
      this.held = this.make();
      this.isDirty = false;
    } finally {
      reading = before;
    }
  }
  get value() {
    this.track();
    this.refresh();
    return /** @type {T} */ (this.held);
  }
  peek() {
    this.refresh();
    return /** @type {T} */ (this.held);
  }
}

/** Holds what must be undone when a part of the page goes. */
export class Scope {
  /** @param {Scope | null} parent */
  constructor(parent = owner) {
    /** @type {Set<() => void>} */ this.undo = new Set();
    this.isDone = false;
    if (parent) {
      const end = () => this.dispose();
      parent.undo.add(end);
      this.undo.add(() => parent.undo.delete(end));
    }
  }
  /** @template T @param {() => T} body @returns {T} */
  run(body) {
    const before = owner;
    const beforeReading = reading;
    owner = this;
    reading = null;
    try {
      return body();
    } finally {
      owner = before;
      reading = beforeReading;
    }
  }
  dispose() {
    if (this.isDone) return;
    this.isDone = true;
    const undo = [...this.undo].reverse();
    this.undo.clear();
    for (const one of undo) one();
  }
}

class Effect extends Reader {
  /** @param {() => (void | (() => void))} body */
  constructor(body) {
    super();
    this.body = body;
    /** @type {Scope | null} */ this.scope = null;
    this.owner = owner;
    this.isOver = false;
  }
  changed() {
    if (this.isOver) return;
    waiting.add(this);
    schedule();
  }
  run() {
    if (this.isOver) return;
    this.scope?.dispose();
    this.forget();
    const scope = new Scope(null);
    this.scope = scope;
    const [readingBefore, ownerBefore] = [reading, owner];
    reading = this;
    owner = scope;
    try {
      const undo = this.body();
      if (typeof undo === "function") scope.undo.add(undo);
    } finally {
      reading = readingBefore;
      owner = ownerBefore;
    }
  }
  end() {
    this.isOver = true;
    waiting.delete(this);
    this.scope?.dispose();
    this.forget();
  }
}

/**
 * A value that others can watch.
 * @template T
 * @param {T} value
 * @returns {Signal<T>}
 */
export function signal(value) {
  return new Value(value);
}

/**
 * A value made of others; made when it is read, and only once for the same others.
 * @template T
 * @param {() => T} make
 * @returns {ReadSignal<T>}
 */
export function computed(make) {
  return /** @type {ReadSignal<T>} */ (/** @type {unknown} */ (new Computed(make)));
}

/**
 * Runs `body` now, and again in a microtask after what it read has changed. What it returns is called before the next time and at the end.
 * It ends with the scope that it was made in.
 * @param {() => (void | (() => void))} body
 * @returns {() => void} ends it
 */
export function effect(body) {
  const effect = new Effect(body);
  const end = () => effect.end();
  owner?.undo.add(end);
  effect.run();
  return () => {
    effect.owner?.undo.delete(end);
    end();
  };
}

/** @param {() => void} undo called when the part of the page that is being made goes */
export function onCleanup(undo) {
  owner?.undo.add(undo);
}

/**
 * Makes a part of the page that can be undone as a whole.
 * @template T
 * @param {(dispose: () => void) => T} body
 * @returns {T}
 */
export function root(body) {
  const scope = new Scope(null);
  return scope.run(() => body(() => scope.dispose()));
}

/**
 * Many changes, told together, when the outermost one ends.
 * @template T
 * @param {() => T} body
 * @returns {T}
 */
export function batch(body) {
  held++;
  try {
    return body();
  } finally {
    held--;
    if (held === 0 && waiting.size > 0) schedule();
  }
}

/**
 * Reads without watching.
 * @template T
 * @param {() => T} body
 * @returns {T}
 */
export function untracked(body) {
  const before = reading;
  reading = null;
  try {
    return body();
  } finally {
    reading = before;
  }
}

/** @param {unknown} value @returns {value is ReadSignal<unknown>} */
export function isSignal(value) {
  return typeof value === "object" && value !== null && /** @type {{ isSignal?: unknown }} */ (value).isSignal === true;
}
