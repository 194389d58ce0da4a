import assert from "node:assert/strict";
import { test } from "node:test";
import { Live } from "../../../Controller/Web/src/core/ws.js";

/** A connection whose sockets and time the test moves. */
function harness() {
  const world = { sockets: [], timers: [], at: 1000 };
  world.live = new Live({
    open: () => {
      const socket = { sent: [], isClosed: false, send: (text) => socket.sent.push(JSON.parse(text)), close: () => (socket.isClosed = true) };
      world.sockets.push(socket);
      return socket;
    },
    now: () => world.at,
    random: () => 0.5,
    enqueue: (body) => world.queue.push(body),
    after: (ms, body) => {
      const timer = { due: world.at + ms, body };
      world.timers.push(timer);
      return () => (world.timers = world.timers.filter((one) => one !== timer));
    },
  });
  world.queue = [];
  world.turn = () => { for (const body of world.queue.splice(0)) body(); };
  world.pass = (ms) => {
    const end = world.at + ms;
    for (;;) {
      const next = world.timers.filter((one) => one.due <= end).sort((a, b) => a.due - b.due)[0];
      if (!next) break;
      world.timers = world.timers.filter((one) => one !== next);
      world.at = next.due;
      next.body();
    }
    world.at = end;
  };
  world.socket = () => world.sockets[world.sockets.length - 1];
  world.open = () => { world.turn(); world.socket().onopen(); };
  world.hear = (message) => world.socket().onmessage({ data: JSON.stringify({ at: "2026-01-31T12:00:00Z", ...message }) });
  return world;
}

const snapshot = (topic, seq, generation = 1) => ({ type: "snapshot", seq, data: { topic, generation } });
const event = (topic, seq) => ({ type: "step_update", topic, seq, data: { execution_id: 7 } });

test("a subscription is asked for when the socket opens, and its events come once and in order", () => {
  const world = harness();
  const seen = [];
  world.live.subscribe("run:7", { snapshot: (_, seq) => seen.push(["s", seq]), event: (m) => seen.push(["e", m.seq]) });
  world.open();
  assert.deepEqual(world.socket().sent, [{ type: "subscribe", topic: "run:7", logs: false }]);
  world.hear(event("run:7", 3));
  world.hear(snapshot("run:7", 5));
  for (const seq of [5, 6, 6, 7, 4]) world.hear(event("run:7", seq));
  assert.deepEqual(seen, [["s", 5], ["e", 6], ["e", 7]]);
});

test("events of one topic move no other topic's cursor", () => {
  const world = harness();
  const seen = [];
  world.live.subscribe("run:7", { event: (m) => seen.push(m.seq) });
  world.live.subscribe("system", { event: (m) => seen.push(m.seq) });
  world.open();
  world.hear(snapshot("run:7", 1));
  world.hear(snapshot("system", 90));
  world.hear(event("system", 91));
  world.hear(event("run:7", 2));
  world.hear({ ...event("", 92), topic: undefined });
  assert.deepEqual(seen, [91, 2]);
});

test("after a break it goes on from its cursors", () => {
  const world = harness();
  world.live.subscribe("run:7", {});
  world.open();
  world.hear(snapshot("run:7", 5, 3));
  world.hear(event("run:7", 6));
  world.socket().onclose();
  world.pass(10_000);
  assert.equal(world.sockets.length, 2);
  world.open();
  assert.deepEqual(world.socket().sent[0], { type: "subscribe", topic: "run:7", logs: false, after: 6, generation: 3 });
});

test("it is stale after 3 s, says since when, and is whole again with the next message", () => {
  const world = harness();
  world.live.subscribe("system", {});
  world.open();
  assert.equal(world.live.state.value, "live");
  const broke = world.at;
  world.socket().onclose();
  world.pass(2_900);
  assert.equal(world.live.state.value, "live");
  world.pass(200);
  assert.equal(world.live.state.value, "stale");
  assert.equal(world.live.staleSince.value, broke);
  world.open();
  assert.equal(world.live.state.value, "live");
  assert.equal(world.live.staleSince.value, null);
});

test("tries come later and later, and at once when the network is back", () => {
  const world = harness();
  world.live.subscribe("system", {});
  world.turn();
  const began = world.at;
  for (let round = 0; round < 12; round++) {
    world.socket().onclose();
    const due = world.timers.map((one) => one.due - world.at).filter((ms) => ms !== 3000);
    assert.ok(Math.max(...due) <= 30_250, `${due}`);
    world.pass(31_000);
  }
  assert.equal(world.sockets.length, 13);
  assert.ok(world.at > began);
  world.socket().onclose();
  world.live.wake();
  assert.equal(world.sockets.length, 14);
});

test("a connection that is only half there is given up", () => {
  const world = harness();
  world.live.subscribe("system", {});
  world.open();
  world.hear(snapshot("system", 1));
  world.pass(10_000);
  assert.deepEqual(world.socket().sent.at(-1), { type: "ping" });
  world.hear({ type: "pong", seq: 0, data: {} });
  world.pass(15_001);
  assert.equal(world.sockets.length, 1);
  world.pass(6_000);
  assert.equal(world.sockets[0].isClosed, true);
  assert.equal(world.sockets.length, 2);
});

test("a log is followed from its line, also after a break, with the state's cursor kept", () => {
  const world = harness();
  const lines = [];
  world.live.subscribe("run:7", {});
  world.open();
  world.hear(snapshot("run:7", 5, 1));
  const end = world.live.followLog(7, "build/test/1", 11, { lines: (update) => lines.push(...update.lines.map((line) => line.n)) });
  world.turn();
  assert.deepEqual(world.socket().sent.at(-1), { type: "subscribe", topic: "run:7", after: 5, generation: 1, logs: { "build/test/1": 11 }, only_those: true });
  const update = { execution_id: 7, step: "build/test", attempt: 1, first_line: 11, lines: [{ n: 11, t_ms: 0, text: "a" }, { n: 12, t_ms: 1, text: "b", partial: true }] };
  world.hear({ type: "log_update", topic: "run:7", seq: 5, data: update });
  world.hear({ type: "log_update", topic: "run:7", seq: 5, data: { ...update, step: "build/other" } });
  assert.deepEqual(lines, [11, 12]);
  world.socket().onclose();
  world.pass(5_000);
  world.open();
  assert.deepEqual(world.socket().sent[0].logs, { "build/test/1": 12 });
  end();
  world.turn();
  assert.deepEqual(world.socket().sent.at(-1), { type: "subscribe", topic: "run:7", after: 5, generation: 1, logs: false });
});

test("what was left out for a slow viewer is fetched again", () => {
  const world = harness();
  const lagged = [];
  world.live.subscribe("run:7", {});
  world.live.followLog(7, "build/test/1", 1, { lines: () => {}, lagged: (line) => lagged.push(line) });
  world.open();
  world.hear(snapshot("run:7", 5));
  const before = world.socket().sent.length;
  world.hear({ type: "lagged", seq: 5, data: { topics: [{ topic: "run:7", after: 5 }],
    logs: [{ log: "build/test/1", from_line: 40, fetch: "/api/v1/pipeline-runs/7/steps/build/test/log?attempt=1&from_line=40" }] } });
  world.turn();
  assert.deepEqual(lagged, [40]);
  assert.ok(world.socket().sent.length > before);
});

test("behind lines that were left out a log goes on where the server says", () => {
  const world = harness();
  const lagged = [];
  world.live.followLog(7, "build/test/1", 1, { lines: () => {}, lagged: (line) => lagged.push(line) });
  world.open();
  world.hear(snapshot("run:7", 5));
  const before = world.socket().sent.length;
  world.hear({ type: "lagged", seq: 5, data: { topics: [],
    logs: [{ log: "build/test/1", from_line: 40, next_line: 900, fetch: "/api/v1/pipeline-runs/7/steps/build/test/log?attempt=1&from_line=40" }] } });
  world.turn();
  assert.deepEqual(lagged, [40]);
  assert.equal(world.socket().sent.length, before);
  world.live.change("run:7");
  world.turn();
  assert.deepEqual(world.socket().sent.at(-1).logs, { "build/test/1": 900 });
});

test("the last one to leave ends the subscription; one that comes back in the same turn keeps it", () => {
  const world = harness();
  const end = world.live.subscribe("run:7", {});
  world.open();
  world.hear(snapshot("run:7", 5));
  end();
  world.live.subscribe("run:7", {});
  world.turn();
  assert.equal(world.socket().sent.some((message) => message.type === "unsubscribe"), false);
  world.live.topics.get("run:7").handlers.clear();
  world.live.change("run:7", true);
  world.turn();
  assert.deepEqual(world.socket().sent.at(-1), { type: "unsubscribe", topic: "run:7" });
});

test("a topic that may not be seen says so", () => {
  const world = harness();
  const gone = [];
  world.live.subscribe("run:9", { gone: (text) => gone.push(text) });
  world.open();
  world.hear({ type: "error", seq: 0, data: { topic: "run:9", message: "There is no such run or pipeline." } });
  assert.deepEqual(gone, ["There is no such run or pipeline."]);
  assert.equal(world.live.topics.size, 0);
});

test("nonsense is left alone", () => {
  const world = harness();
  world.live.subscribe("system", {});
  world.open();
  world.socket().onmessage({ data: "{" });
  world.hear({ type: "unheard-of", seq: 1, data: null });
  assert.equal(world.live.state.value, "live");
});
