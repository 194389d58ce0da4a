// Where lines come from: the first ones, those that are looked at, and those that are new.

import { announce } from "../core/a11y.js";
import { clock } from "../core/fmt.js";
import { plural, t } from "../core/i18n.js";
import { Rows } from "./folds.js";
import { LogPaint } from "./paint.js";

const POLL_MS = 1000;

export class LogFeed extends LogPaint {
  /** Asks for the first lines. */
  async open() {}

  /** Asks what the log holds; a long one takes several answers. */
  async refresh() {
    const { signal } = this.controller;
    for (;;) {
      const index = await (this.source.take("firstIndex") ?? this.source.index(signal));
      if (signal.aborted) return;
      this.tookIndex(index);
      if (index.scanned >= index.total || !index.complete) return;
    }
  }

  /** @param {import("./source.js").Index} index */
  tookIndex(index) {
    const before = this.index;
    if (before && index.total < before.total && index.total < this.blocks.total) {
      this.restarted();
    }
    this.index = index;
    this.blocks.setStyles(index.styles);
    // Lines that are pushed come by themselves: only what was there at the last look and has not come is asked for.
    const total = index.complete || !this.unfollow ? index.total : Math.min(index.total, before?.total ?? 0);
    this.blocks.total = Math.max(this.blocks.total, total);
    const wasFollowing = this.follow.isFollowing;
    // What was open while it ran does not close under the reader's eyes.
    if (before && !before.complete) for (const section of this.folds.sections) if (this.folds.isOpen(section)) this.folds.choose(section, true);
    this.folds.set(index.sections, { isFailed: this.options.isFailed, isLive: !index.complete });
    this.fresh();
    if (index.complete) this.follow.ended(index.total);
    this.grew();
    this.listen();
    const changed = !before || before.sections.length !== index.sections.length || before.error_count !== index.error_count
      || before.warning_count !== index.warning_count || before.complete !== index.complete
      || JSON.stringify(before.sections.at(-1)) !== JSON.stringify(index.sections.at(-1));
    if (changed && this.isPlaced) this.rebuild();
    if (wasFollowing && !this.follow.isFollowing && this.isPlaced) {
      // The log has ended: its last lines are shown, whoever brought them.
      this.rows.grow(this.blocks.total);
      this.scroll.rows = this.rows.count;
      this.scroll.place(this.scroll.end);
      this.settle();
    }
    this.version++;
    this.say();
    this.request();
  }

  restarted() {
    this.blocks.clear();
    this.find.reset();
    this.follow.restart();
    this.heights.clear();
    this.rows = new Rows(0);
    this.scroll.place({ row: 0, offset: 0 });
  }

  poll() {
    clearTimeout(this.timers.poll);
    if (this.isOver || this.follow.state === "ended") return;
    this.later("poll", this.follow.isFollowing && !this.staleSince ? 2 * POLL_MS : POLL_MS, async () => {
      if (!document.hidden) await this.refresh().catch((error) => this.failed(error));
      this.poll();
    });
  }

  /** Takes new lines as they come while the page goes along; else the poll tells how many there are. */
  listen() {
    const wants = this.follow.isFollowing && !document.hidden && !this.isOver;
    const { socket } = this.options;
    if (wants && !this.unfollow && socket) {
      const last = this.blocks.get(this.blocks.total);
      const next = last?.partial ? this.blocks.total : this.blocks.total + 1;
      this.unfollow = socket.followLog(this.source.runId, this.source.key, next, {
        lines: (update) => this.pushed(update), lagged: () => this.request(),
      });
    } else if (!wants && this.unfollow) {
      this.unfollow();
      this.unfollow = null;
    }
  }

  /** @param {{lines: import("./blocks.js").Line[]}} update */
  pushed({ lines }) {
    this.blocks.put(lines);
    for (const line of lines) this.heights.delete(line.n);
    this.version++;
    this.fresh();
    this.grew();
    this.request();
  }

  /** @param {import("./blocks.js").Page} page */
  tookPage(page) {
    this.fresh();
    for (const line of page.lines) this.heights.delete(line.n);
    this.version++;
    this.grew();
    this.request();
  }

  grew() {
    const { total } = this.blocks;
    if (this.follow.grew(total)) {
      this.rows.grow(total);
      this.find.grew(total);
    }
  }

  /** @param {unknown} error */
  failed(error) {
    if (this.controller.signal.aborted) return;
    const status = /** @type {{status?: number}} */ (error)?.status;
    if (status === 404 && this.options.isLive) {
      this.showNote(t("Nothing has been written yet."), "");
      this.later("retry", POLL_MS, () => {
        if (!this.isPlaced) void this.open();
      });
      return;
    }
    if (status === 0 || status === 502 || status === 503 || status === undefined) {
      this.staleSince ??= Date.now();
      this.showNote(t("No connection since {time}. What is shown may be out of date; it goes on by itself.", { time: clock(this.staleSince) }), "is-stale");
      this.later("retry", POLL_MS, () => {
        if (!this.isPlaced) void this.open();
        else if (this.follow.state === "ended") void this.refresh().catch((again) => this.failed(again));
        this.request();
      });
      return;
    }
    this.showNote(error instanceof Error ? error.message : String(error), "is-bad");
  }

  /** Something came: what is shown is not old. */
  fresh() {
    this.staleSince = null;
    if (!this.note.hidden) this.showNote("", "");
  }

  /**
   * The connection is gone, or back.
   * @param {number | null} since
   */
  setStale(since) {
    if (since !== null && this.follow.state !== "ended") this.failed({ status: 0 });
    else if (since === null && this.staleSince) void this.refresh().catch((error) => this.failed(error));
  }

  /** Says now and then how it goes, to those who listen. */
  say() {
    const { index } = this;
    const now = Date.now();
    if (!index || index.complete || now - this.memo.said.at < 10_000 || index.total === this.memo.said.lines) return;
    const errors = index.error_count - this.memo.said.errors;
    if (this.memo.said.at > 0) announce(`${this.options.label}: ${errors > 0 ? plural(errors, "1 new error", "{n} new errors") + ", " : ""}${plural(index.total, "1 line", "{n} lines")}`);
    this.memo.said = { errors: index.error_count, lines: index.total, at: now };
  }
}
