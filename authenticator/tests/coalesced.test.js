// Work that many ask for at once.

import assert from "node:assert/strict";
import { test } from "node:test";
import { coalesced } from "../app/journeys/coalesced.js";

/** Work that ends when it is told to. */
function workOf() {
  /** @type {{done: () => void, fail: (why: Error) => void}[]} */
  const runs = [];
  const call = coalesced(() => new Promise((done, fail) => runs.push({ done, fail })));
  return { runs, call };
}

const turn = () => new Promise((resolve) => setTimeout(resolve));

test("calls during a run make one more follow", async () => {
  const { runs, call } = workOf();
  const all = [call(), call(), call()];
  assert.equal(runs.length, 1);
  runs[0].done();
  await turn();
  assert.equal(runs.length, 2);
  runs[1].done();
  await Promise.all(all);
  assert.equal(runs.length, 2);
});

test("a call while a run ends is not lost", async () => {
  for (let steps = 0; steps < 8; steps += 1) {
    const { runs, call } = workOf();
    void call();
    runs[0].done();
    for (let step = 0; step < steps; step += 1) await Promise.resolve();
    void call();
    await turn();
    assert.equal(runs.length, 2, `${steps} steps later`);
  }
});

test("work that failed can be asked for again", async () => {
  const { runs, call } = workOf();
  const first = call();
  runs[0].fail(new Error("no network"));
  await assert.rejects(first, /no network/);
  const second = call();
  runs[1].done();
  await second;
});
