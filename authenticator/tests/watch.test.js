// What waits, while a list of it is under way: the list is older than what happens meanwhile.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Watch } from "../app/journeys/watch.js";

const ACCOUNT = { id: "enrollment", account: "ada", seamless: true, label: "Blue phone", rests: null, retires: null };

/** @param {string} id @param {string} [text] @returns {any} */
const request = (id, text = id) => ({ id, account: ACCOUNT, request: { jti: id, exp: 2_000_000_000 }, text });

/** A watch whose server answers when it is told to. @param {any[]} waiting */
function watchOf(waiting) {
  /** @type {(requests: any[]) => void} */
  let answer = () => assert.fail("nothing was asked");
  const vault = { accounts: async () => [ACCOUNT], change: async () => assert.fail("nothing has changed") };
  const asked = () => new Promise((resolve) => (answer = (requests) => resolve({ ...ACCOUNT, push: "ok", requests, rests_until: null, retires_at: null })));
  const watch = new Watch(/** @type {any} */ ({ vault, server: { attempts: asked }, clock: { seconds: () => 1_900_000_000 } }));
  // Signatures are proven by the vectors; here a text is its own request.
  watch.read = async (_account, text) => request(text.split(" ")[0], text);
  watch.waiting = waiting;
  /** @param {string[]} requests */
  const list = async (...requests) => {
    answer(requests);
    await running;
    return watch.waiting.map(({ text }) => text);
  };
  const running = watch.refresh();
  return { watch, list };
}

const turn = () => new Promise((resolve) => setTimeout(resolve));

test("a request that is claimed while a list is under way waits on", async () => {
  const { watch, list } = watchOf([]);
  await turn();
  await watch.take(/** @type {any} */ (ACCOUNT), "claimed");
  assert.deepEqual(await list("listed"), ["listed", "claimed"]);
});

test("a request that is claimed anew is not set back by an older list", async () => {
  const { watch, list } = watchOf([request("one", "one old")]);
  await turn();
  await watch.take(/** @type {any} */ (ACCOUNT), "one new");
  assert.deepEqual(await list("one old"), ["one new"]);
});

test("a request that is answered while a list is under way does not come back", async () => {
  const { watch, list } = watchOf([request("one"), request("two")]);
  await turn();
  watch.drop("one");
  assert.deepEqual(await list("one", "two"), ["two"]);
});

test("what the list no longer has is over", async () => {
  const { list } = watchOf([request("one"), request("two")]);
  await turn();
  assert.deepEqual(await list("two", "three"), ["two", "three"]);
});
