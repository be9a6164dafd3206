// A list that looks by itself for what is new, while somebody looks at it.
//
//   [data-watch="/path"]      holds the list; the page at that path has the same element
//   data-watch-on="/stream"   beside it: look when its event "changed" comes, not by the clock
//   data-mark                 on it: changes when there is something new
//   [data-watching=on|off]    shown while it looks, and once it no longer does
//   button[data-watch-again]  has it look again
//   [data-watch-news]         is told the first sentence of what is new (data-watch-says)

const EVERY_MS = 3_000;
// What changes together is looked at once.
const SOON_MS = 200;
// Each look counts as use of the session, which must still end when nobody is there.
const LONGEST_MS = 10 * 60_000;
// Where a look follows something new, somebody who waits for that does not touch anything so soon.
const LONGEST_ON_MS = 30 * 60_000;

/** @param {HTMLElement} place */
function watch(place) {
  const line = place.dataset.watchOn;
  const longest = line ? LONGEST_ON_MS : LONGEST_MS;
  let ends = 0;
  /** @type {EventSource | null} */
  let source = null;
  /** @type {number | undefined} */
  let timer;
  let late = false;

  /** @param {boolean} on */
  const shows = (on) => {
    for (const part of document.querySelectorAll("[data-watching]")) {
      if (part instanceof HTMLElement) part.hidden = part.dataset.watching !== (on ? "on" : "off");
    }
  };

  /** @param {Document | null} news the page as it is now; null: no answer, the next look may have one */
  const draw = (news) => {
    const fresh = news?.querySelector("[data-watch]");
    if (!(fresh instanceof HTMLElement) || fresh.dataset.mark === place.dataset.mark) return;
    // Nobody loses the link or button that they are at: it waits for the next look.
    late = place.contains(document.activeElement);
    if (late) return;
    place.dataset.mark = fresh.dataset.mark;
    place.replaceChildren(...Array.from(fresh.childNodes, (node) => document.importNode(node, true)));
    document.dispatchEvent(new Event("drawn"));
    const told = document.querySelector("[data-watch-news]");
    if (told) told.textContent = place.querySelector("[data-watch-says]")?.textContent ?? "";
  };

  const look = () => {
    // A parser of strings would need a policy for trusted types; a request for a document runs
    // nothing of what it brings.
    const request = new XMLHttpRequest();
    request.responseType = "document";
    request.open("GET", place.dataset.watch ?? "");
    request.addEventListener("loadend", () => {
      const news = request.status === 200 ? request.responseXML : null;
      // Signed out meanwhile: the page itself says so, and leads back here.
      if (request.status === 401 || (news && !news.querySelector("[data-watch]"))) {
        location.reload();
        return;
      }
      draw(news);
      plan();
    });
    request.send();
  };

  const plan = () => {
    clearTimeout(timer);
    if (document.hidden) return;
    if (Date.now() < ends) {
      // With a line the next look comes by itself, but for what nobody could be shown just now.
      if (!line) timer = setTimeout(look, EVERY_MS);
      else timer = setTimeout(late ? look : plan, late ? EVERY_MS : ends - Date.now());
    } else {
      source?.close();
      source = null;
      shows(false);
    }
  };

  const listen = () => {
    if (!line || source) return;
    source = new EventSource(line);
    source.addEventListener("changed", () => {
      if (document.hidden) return;
      clearTimeout(timer);
      timer = setTimeout(look, SOON_MS);
    });
  };

  const start = () => {
    ends = Date.now() + longest;
    shows(true);
    listen();
    plan();
  };

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) clearTimeout(timer);
    else if (Date.now() < ends) look();
    else shows(false);
  });
  for (const button of document.querySelectorAll("button[data-watch-again]")) {
    button.addEventListener("click", () => {
      start();
      look();
    });
  }
  if (line) {
    // Whoever is there says so by touching something.
    for (const sign of ["pointerdown", "keydown"]) {
      document.addEventListener(sign, () => {
        if (source) ends = Date.now() + longest;
      });
    }
    addEventListener("pagehide", () => source?.close());
  }
  start();
}

const place = document.querySelector("[data-watch]");
if (place instanceof HTMLElement) watch(place);

export {};
