// What the pages of messages do by themselves; each of them works without it.
//
//   [data-live="/path"]      what changes: the stream says when, and the page at this address is
//   data-mark                fetched anew; the mark tells the stream what is shown already
//   form[data-keep=name]     what is typed is kept in this tab until it has been sent
//   data-once                the form's own name: once it was sent, its draft is gone
//   [data-suggest="/path"]   articles for what is typed: {articles: [{title, address, …}]}
//   select[name=topic]       shows data-part="safety" beside it when it is about security

// Each look counts as use of the session, which must still end when nobody is there.
const LONGEST_MS = 15 * 60_000;
const AGAIN_MS = 5_000;
const TYPING_MS = 450;
const FEWEST = 4;
const MOST_SHOWN = 4;
const DRAFT = "vestibule.draft.";

/** @param {string} selector @param {ParentNode} [within] @returns {HTMLElement[]} */
const all = (selector, within = document) =>
  Array.from(within.querySelectorAll(selector)).filter((each) => each instanceof HTMLElement);

// --- what is new ------------------------------------------------------------------------------

/** @param {HTMLElement} place */
function live(place) {
  /** @type {EventSource | undefined} */
  let source;
  let until = Date.now() + LONGEST_MS;

  const draw = () => {
    // A parser of strings would need a policy for trusted types; a request for a document runs
    // nothing of what it brings.
    const request = new XMLHttpRequest();
    request.responseType = "document";
    request.open("GET", location.pathname + location.search);
    request.addEventListener("load", () => {
      const fresh = request.responseXML?.querySelector("[data-live]");
      if (request.status !== 200 || !(fresh instanceof HTMLElement)) return;
      if (place.contains(document.activeElement)) place.tabIndex = -1;
      place.dataset.mark = fresh.dataset.mark;
      place.replaceChildren(
        ...Array.from(fresh.childNodes, (node) => document.importNode(node, true)),
      );
      document.dispatchEvent(new Event("drawn"));
      offered(request.responseXML);
    });
    request.send();
  };

  // What may be done now; a text that somebody is writing stays where it is.
  /** @param {Document | null} fresh */
  const offered = (fresh) => {
    const now = document.querySelector("[data-acts]");
    const then = fresh?.querySelector("[data-acts]");
    if (!(now instanceof HTMLElement) || !(then instanceof HTMLElement)) return;
    if (now.dataset.acts === then.dataset.acts) return;
    if (all("textarea", now).some((area) => area instanceof HTMLTextAreaElement && area.value)) return;
    if (now.contains(document.activeElement)) return;
    location.reload();
  };

  const close = () => {
    source?.close();
    source = undefined;
  };
  const open = () => {
    if (source || document.hidden || Date.now() > until) return;
    const address = `${place.dataset.live}?mark=${encodeURIComponent(place.dataset.mark ?? "")}`;
    source = new EventSource(address);
    source.addEventListener("news", draw);
    source.addEventListener("error", () => {
      // A stream that ended is asked for again with the mark of now, not with the first one.
      close();
      setTimeout(open, AGAIN_MS);
    });
  };
  const used = () => {
    until = Date.now() + LONGEST_MS;
    open();
  };

  document.addEventListener("visibilitychange", () => (document.hidden ? close() : used()));
  for (const kind of ["pointerdown", "keydown", "scroll"]) {
    document.addEventListener(kind, used, { passive: true });
  }
  document.addEventListener("submit", close);
  addEventListener("pagehide", close);
  addEventListener("pageshow", used);
  open();
}

// --- what is typed ----------------------------------------------------------------------------

/** @typedef {HTMLTextAreaElement | HTMLSelectElement | HTMLInputElement} Field */

/** @param {Element} each @returns {each is Field} */
const isTyped = (each) =>
  each instanceof HTMLTextAreaElement ||
  each instanceof HTMLSelectElement ||
  (each instanceof HTMLInputElement && each.type === "text");

/** @param {HTMLFormElement} form */
const fields = (form) => Array.from(form.elements).filter(isTyped);

/** @param {HTMLFormElement} form */
function keep(form) {
  const name = DRAFT + form.dataset.keep;
  const kept = JSON.parse(sessionStorage.getItem(name) ?? "null");
  if (kept) {
    for (const field of fields(form)) {
      // What the server put there is newer: it comes with a problem to mend.
      if (!field.value && typeof kept.typed?.[field.name] === "string") {
        field.value = kept.typed[field.name];
      }
    }
  }
  form.addEventListener("input", () => {
    const typed = Object.fromEntries(fields(form).map((field) => [field.name, field.value]));
    sessionStorage.setItem(name, JSON.stringify({ typed }));
  });
}

// A page that says that something was sent is the receipt of a draft.
function forget() {
  const done = new URLSearchParams(location.search).get("done");
  if (!done) return;
  const name = done === "sent" ? "new" : location.pathname.split("/").pop();
  sessionStorage.removeItem(DRAFT + name);
}

// --- articles ---------------------------------------------------------------------------------

/** @param {HTMLElement} place */
function suggest(place) {
  const form = place.closest("form");
  const list = place.querySelector("ul");
  if (!form || !list) return;
  let asked = "";
  /** @type {number | undefined} */
  let timer;

  /** @typedef {{title: string, summary: string, address: string, language: string}} Article */

  /** @param {Article[]} articles */
  const draw = (articles) => {
    list.replaceChildren(
      ...articles.slice(0, MOST_SHOWN).map(({ title, address, summary, language }) => {
        const item = document.createElement("li");
        const link = document.createElement("a");
        link.href = new URL(address, location.origin).pathname;
        item.lang = language;
        link.target = "_blank";
        link.rel = "noopener";
        link.textContent = title;
        const about = document.createElement("span");
        about.className = "soft small";
        about.textContent = ` ${summary}`;
        item.append(link, about);
        return item;
      }),
    );
    place.hidden = articles.length === 0;
  };

  const ask = async () => {
    const words = fields(form)
      .filter((field) => !(field instanceof HTMLSelectElement))
      .map((field) => field.value)
      .join(" ")
      .trim()
      .slice(0, 200);
    if (words === asked) return;
    asked = words;
    if (words.length < FEWEST) {
      draw([]);
      return;
    }
    try {
      const answer = await fetch(`${place.dataset.suggest}?q=${encodeURIComponent(words)}`);
      if (answer.ok && words === asked) draw((await answer.json()).articles);
    } catch {
      // No network, no suggestions; the form itself says so when it is sent.
    }
  };

  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, TYPING_MS);
  });
  void ask();
}

/** @param {HTMLElement} part */
function safety(part) {
  const topic = document.querySelector("select[name=topic]");
  if (!(topic instanceof HTMLSelectElement)) return;
  const shows = () => {
    part.hidden = topic.value !== "security";
  };
  topic.addEventListener("change", shows);
  shows();
}

forget();
for (const form of all("form[data-keep]")) if (form instanceof HTMLFormElement) keep(form);
for (const place of all("[data-live]")) live(place);
for (const place of all("[data-suggest]")) suggest(place);
for (const part of all('[data-part="safety"]')) safety(part);

export {};
