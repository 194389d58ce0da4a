// The page's one WebSocket: topics with cursors, resumed after every break without losing or repeating an event.

import { signal } from "./signal.js";

/**
 * A message of the controller. `topic` says whose `seq` it is.
 * @typedef {{ type: string, seq: number, at: string, topic?: string, data: any }} Message
 * @typedef {{ n: number, t_ms: number, text: string, partial?: boolean }} LogLine
 * @typedef {{ execution_id: number, step: string, attempt: number, first_line: number, lines: LogLine[] }} LogLines
 * @typedef {{ snapshot?: (data: any, seq: number) => void, event?: (message: Message) => void, gone?: (reason: string) => void,
 *   aside?: (message: Message) => void }} Handlers `aside` gets what is no event and comes once, such as words of an administrator
 * @typedef {{ lines: (update: LogLines) => void, lagged?: (fromLine: number) => void }} LogHandlers
 * @typedef {{ topic: string, cursor: number | null, generation: number | null, handlers: Set<Handlers>,
 *   logs: Map<string, { next: number, handlers: Set<LogHandlers> }>, isOld: boolean }} Subscription
 * @typedef {{ send(text: string): void, close(): void, onopen: any, onclose: any, onmessage: any, onerror: any }} SocketLike
 * @typedef {{ open: () => SocketLike, now?: () => number, random?: () => number,
 *   after?: (ms: number, body: () => void) => (() => void), enqueue?: (body: () => void) => void }} Parts
 */

const DELAY_MIN_MS = 500;
const DELAY_MAX_MS = 30_000;
/** So long may nothing be heard before what is shown counts as old. */
const STALE_AFTER_MS = 3_000;
const PING_EVERY_MS = 10_000;
const PONG_WITHIN_MS = 5_000;
/** The server takes 256 messages in 10 s; a long list of topics goes out in parts. */
const LOGS_MAX = 1000;

export class Live {
  /** @param {Parts} parts */
  constructor(parts) {
    this.parts = parts;
    this.now = parts.now ?? (() => Date.now());
    this.random = parts.random ?? Math.random;
    this.after = parts.after ?? ((ms, body) => {
      const timer = setTimeout(body, ms);
      return () => clearTimeout(timer);
    });
    this.enqueue = parts.enqueue ?? ((body) => queueMicrotask(body));
    /** @type {Map<string, Subscription>} */ this.topics = new Map();
    /** @type {SocketLike | null} */ this.socket = null;
    /** `off` before the first topic. */
    this.state = signal(/** @type {"off" | "connecting" | "live" | "stale"} */ ("off"));
    /** When what is shown stopped being live; null while it is. */
    this.staleSince = signal(/** @type {number | null} */ (null));
    /** The server's time less ours, ms, as of the last message. */
    this.skew = signal(0);
    this.isOpen = false;
    this.tries = 0;
    this.lastHeard = 0;
    /** @type {(() => void) | null} */ this.retry = null;
    /** @type {(() => void) | null} */ this.staleTimer = null;
    /** @type {(() => void) | null} */ this.pingTimer = null;
    /** @type {Set<string>} */ this.changed = new Set();
    this.isFlushing = false;
  }

  // What pages call

  /**
   * Watches a topic: `run:7`, `pipeline:3`, `system`. A snapshot comes first, then every event, in order.
   * @param {string} topic @param {Handlers} handlers
   * @returns {() => void} ends it
   */
  subscribe(topic, handlers) {
    const subscription = this.subscription(topic);
    // Who comes later needs a snapshot too: asking without a cursor gives it to all.
    if (handlers.snapshot && subscription.handlers.size > 0) subscription.cursor = null;
    subscription.handlers.add(handlers);
    this.change(topic);
    return () => {
      if (!subscription.handlers.delete(handlers)) return;
      this.change(topic, true);
    };
  }

  /**
   * Follows one attempt's log from a line on.
   * @param {number} run @param {string} key `job/step/attempt` @param {number} line the first one wanted @param {LogHandlers} handlers
   * @returns {() => void} ends it
   */
  followLog(run, key, line, handlers) {
    const topic = `run:${run}`;
    const subscription = this.subscription(topic);
    const log = subscription.logs.get(key) ?? { next: line, handlers: new Set() };
    log.next = Math.min(log.next, line);
    log.handlers.add(handlers);
    subscription.logs.set(key, log);
    this.change(topic);
    return () => {
      if (!log.handlers.delete(handlers)) return;
      if (log.handlers.size === 0) subscription.logs.delete(key);
      this.change(topic, true);
    };
  }

  /** Tries to connect now: the network or the page has come back. */
  wake() {
    if (this.topics.size === 0) return;
    if (this.isOpen) {
      this.ping();
    } else if (this.retry) {
      this.retry();
      this.retry = null;
      this.tries = 0;
      this.connect();
    }
  }

  close() {
    this.topics.clear();
    this.retry?.();
    this.retry = null;
    this.drop();
    this.staleTimer?.();
    this.staleTimer = null;
    this.state.value = "off";
    this.staleSince.value = null;
  }

  // Topics

  /** @param {string} topic @returns {Subscription} */
  subscription(topic) {
    const known = this.topics.get(topic);
    if (known) return known;
    /** @type {Subscription} */
    const made = { topic, cursor: null, generation: null, handlers: new Set(), logs: new Map(), isOld: false };
    this.topics.set(topic, made);
    return made;
  }

  /**
   * Tells the server once for all changes of a turn.
   * @param {string} topic
   */
  change(topic, isLess = false) {
    const subscription = this.topics.get(topic);
    if (isLess && subscription && subscription.handlers.size === 0 && subscription.logs.size === 0) subscription.isOld = true;
    else if (subscription) subscription.isOld = false;
    this.changed.add(topic);
    if (!this.socket && !this.retry && this.topics.size > 0) this.connect();
    if (this.isFlushing) return;
    this.isFlushing = true;
    this.enqueue(() => {
      this.isFlushing = false;
      const changed = [...this.changed];
      this.changed.clear();
      for (const one of changed) this.tell(one);
    });
  }

  /** @param {string} topic */
  tell(topic) {
    const subscription = this.topics.get(topic);
    if (!subscription) return;
    if (subscription.isOld) {
      this.topics.delete(topic);
      if (this.isOpen) this.say({ type: "unsubscribe", topic });
      return;
    }
    if (this.isOpen) this.ask(subscription);
  }

  /** @param {Subscription} subscription */
  ask(subscription) {
    /** @type {Record<string, any>} */
    const message = { type: "subscribe", topic: subscription.topic, logs: false };
    if (subscription.cursor !== null) message.after = subscription.cursor;
    if (subscription.cursor !== null && subscription.generation !== null) message.generation = subscription.generation;
    if (subscription.logs.size > 0) {
      message.logs = Object.fromEntries([...subscription.logs].slice(0, LOGS_MAX).map(([key, log]) => [key, log.next]));
      message.only_those = true;
    }
    this.say(message);
  }

  // The socket

  connect() {
    if (this.state.peek() === "off") this.state.value = "connecting";
    /** @type {SocketLike} */ let socket;
    try {
      socket = this.parts.open();
    } catch {
      this.later();
      return;
    }
    this.socket = socket;
    socket.onopen = () => {
      if (this.socket !== socket) return;
      this.isOpen = true;
      this.tries = 0;
      this.heard();
      for (const subscription of this.topics.values()) if (!subscription.isOld) this.ask(subscription);
      this.pingLater();
    };
    socket.onmessage = (/** @type {{ data: unknown }} */ event) => {
      if (this.socket === socket) this.take(String(event.data));
    };
    socket.onclose = () => {
      if (this.socket !== socket) return;
      this.drop();
      this.lost();
      this.later();
    };
    socket.onerror = () => {};
  }

  drop() {
    const socket = this.socket;
    this.socket = null;
    this.isOpen = false;
    this.pingTimer?.();
    this.pingTimer = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    try {
      socket.close();
    } catch {
      // It is closed already.
    }
  }

  /** Full jitter, so that a controller that comes back is not met by all pages at once. */
  later() {
    if (this.topics.size === 0) return;
    const most = Math.min(DELAY_MAX_MS, DELAY_MIN_MS * 2 ** Math.min(this.tries, 10));
    this.tries++;
    this.retry = this.after(DELAY_MIN_MS / 2 + this.random() * most, () => {
      this.retry = null;
      this.connect();
    });
  }

  lost() {
    if (this.staleTimer || this.state.peek() === "stale") return;
    const since = this.now();
    this.staleTimer = this.after(STALE_AFTER_MS, () => {
      this.staleTimer = null;
      this.staleSince.value = since;
      this.state.value = "stale";
    });
  }

  heard() {
    this.lastHeard = this.now();
    this.staleTimer?.();
    this.staleTimer = null;
    this.staleSince.value = null;
    this.state.value = "live";
  }

  pingLater() {
    this.pingTimer?.();
    this.pingTimer = this.after(PING_EVERY_MS, () => this.ping());
  }

  ping() {
    if (!this.isOpen) return;
    const asked = this.now();
    this.say({ type: "ping" });
    this.pingTimer?.();
    this.pingTimer = this.after(PONG_WITHIN_MS, () => {
      if (this.lastHeard >= asked) return this.pingLater();
      // A connection that is only half there: nothing closes it but us.
      this.drop();
      this.lost();
      this.later();
    });
  }

  /** @param {unknown} message */
  say(message) {
    this.socket?.send(JSON.stringify(message));
  }

  // What comes

  /** @param {string} text */
  take(text) {
    /** @type {Message} */ let message;
    try {
      message = JSON.parse(text);
    } catch {
      return;
    }
    this.heard();
    const at = Date.parse(message.at);
    if (Number.isFinite(at)) this.skew.value = at - this.now();
    switch (message.type) {
      case "snapshot": return this.snapshot(message);
      case "execution_update":
      case "step_update": return this.event(message);
      case "log_update": return this.lines(message.data);
      case "lagged": return this.lagged(message.data);
      case "error": return this.refused(message.data);
      case "system_notice":
      case "agent_update":
      case "statistics": return this.aside(message);
      default:
    }
  }

  /** @param {Message} message */
  snapshot(message) {
    const subscription = this.topics.get(message.data.topic);
    if (!subscription) return;
    subscription.cursor = message.seq;
    subscription.generation = message.data.generation ?? null;
    for (const handlers of [...subscription.handlers]) handlers.snapshot?.(message.data, message.seq);
  }

  /** @param {Message} message */
  event(message) {
    const subscription = this.topics.get(message.topic ?? "");
    // Before the snapshot nothing can be told apart from what is in it.
    if (!subscription || subscription.cursor === null || message.seq <= subscription.cursor) return;
    subscription.cursor = message.seq;
    for (const handlers of [...subscription.handlers]) handlers.event?.(message);
  }

  /** @param {Message} message */
  aside(message) {
    const subscription = this.topics.get(message.topic ?? "system");
    for (const handlers of [...(subscription?.handlers ?? [])]) handlers.aside?.(message);
  }

  /** @param {LogLines} update */
  lines(update) {
    const log = this.topics.get(`run:${update.execution_id}`)?.logs.get(`${update.step}/${update.attempt}`);
    if (!log) return;
    const last = update.lines[update.lines.length - 1];
    // An unfinished line comes again.
    if (last) log.next = Math.max(log.next, last.partial ? last.n : last.n + 1);
    for (const handlers of [...log.handlers]) handlers.lines(update);
  }

  /** @param {any} data */
  lagged(data) {
    for (const part of data.topics ?? []) {
      const subscription = this.topics.get(part.topic);
      if (subscription) this.ask(subscription);
    }
    for (const part of data.logs ?? []) {
      const run = /pipeline-runs\/(\d+)\//.exec(part.fetch ?? "")?.[1];
      const log = this.topics.get(`run:${run}`)?.logs.get(part.log);
      if (!log) continue;
      // The lines that come from here on join no earlier ones: whoever shows the ones between fetches them.
      log.next = Math.max(log.next, part.next_line ?? 0);
      for (const handlers of [...log.handlers]) handlers.lagged?.(part.from_line);
    }
  }

  /** @param {{ topic?: string, message: string }} data */
  refused(data) {
    const subscription = data.topic ? this.topics.get(data.topic) : undefined;
    if (!subscription) return;
    this.topics.delete(subscription.topic);
    for (const handlers of [...subscription.handlers]) handlers.gone?.(data.message);
  }
}

/** @type {Live | null} */
let shared = null;

/** The page's connection. */
export function live() {
  if (shared) return shared;
  const made = new Live({
    open: () => {
      const scheme = location.protocol === "https:" ? "wss:" : "ws:";
      return new WebSocket(`${scheme}//${location.host}/ws`);
    },
  });
  window.addEventListener("online", () => made.wake());
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) made.wake();
  });
  shared = made;
  return made;
}
