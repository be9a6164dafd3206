// What the app was opened with. The fragment of an activation link is a secret: it is read once
// and taken out of the address bar, the history and the tab's title at once.

/** @typedef {{link: string | null, claim: string | null, request: string | null, open: string | null, install: boolean}} Opened */

/** @returns {Opened} */
export function takeAddress() {
  const { href, pathname, search, hash } = location;
  const query = new URLSearchParams(search);
  const of = (/** @type {string} */ path) => (pathname === path && hash.length > 1 ? href : null);
  const [link, claim] = [of("/activate"), of("/claim")];
  if (pathname !== "/" || search || hash) history.replaceState(null, "", "/");
  return { link, claim, request: query.get("request"), open: query.get("open"), install: pathname === "/install" };
}
