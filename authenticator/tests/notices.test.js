// What this phone was told, while a list of it is under way.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Notices } from "../app/journeys/notices.js";

const ACCOUNT = { id: "enrollment", pending: false, ended: null };
const notice = (/** @type {number} */ id, read = false) => ({ id, at: id, title: `notice ${id}`, read });

/** Notices whose server answers lists when it is told to, and all else at once. */
function noticesOf() {
  /** @type {((notices: any[]) => void)[]} */
  const lists = [];
  const call = ({ method = "GET" }) => (method === "GET" ? new Promise((resolve) => lists.push((notices) => resolve({ unread: notices.filter(({ read }) => !read).length, notices }))) : Promise.resolve({ unread: 0 }));
  const vault = { accounts: async () => [ACCOUNT], keep: async () => {} };
  const watch = { accounts: [ACCOUNT], tell: () => {} };
  return { notices: new Notices(/** @type {any} */ ({ vault, watch, server: { call } })), lists };
}

const turn = () => new Promise((resolve) => setTimeout(resolve));

test("what is marked as read while a list is under way stays read", async () => {
  const { notices, lists } = noticesOf();
  notices.kept = { enrollment: { unread: 1, notices: /** @type {any} */ ([notice(1)]) } };
  const running = notices.refresh();
  await turn();
  await notices.markRead();
  lists[0]([notice(1)]);
  await running;
  assert.equal(notices.unread, 0);
});
