// Help beside the place where the trouble is. Every link works without it.
//
//   a[data-help]           opens its article in a sheet beside the page
//   dialog#help-sheet      that sheet, in every page; [data-help-body] takes the article,
//                          a[data-help-page] leads to the article's own page
//   [data-article]         the article in its page
//   input[data-suggest]    shows articles while somebody types
//   details.system         is unfolded when a link leads to it, and for printing

const SUGGEST_AFTER_MS = 200;
const LEAST = 3;

/** A page as a document. A parser of strings would need a policy for trusted types; a request for
 * a document runs nothing of what it brings. @param {string} address @returns {Promise<Document | null>} */
function fetched(address) {
  return new Promise((done) => {
    const request = new XMLHttpRequest();
    request.responseType = "document";
    request.open("GET", address);
    request.addEventListener("loadend", () => done(request.status === 200 ? request.responseXML : null));
    request.send();
  });
}

/** Unfold what hides an element, and go there. @param {ParentNode} root @param {string} id */
function reveal(root, id) {
  const there = id && root.querySelector(`#${CSS.escape(id)}`);
  if (!(there instanceof HTMLElement)) return false;
  const fold = there.closest("details");
  if (fold) fold.open = true;
  there.scrollIntoView();
  return true;
}

/** @param {HTMLDialogElement} sheet */
function sheets(sheet) {
  const body = sheet.querySelector("[data-help-body]");
  const page = sheet.querySelector("a[data-help-page]");
  const failed = sheet.querySelector("[data-help-failed]");
  const loading = sheet.querySelector("[data-help-loading]");
  if (!(body instanceof HTMLElement && page instanceof HTMLAnchorElement)) return;
  if (!(failed instanceof HTMLElement && loading instanceof HTMLElement)) return;
  let asked = 0;

  /** @param {HTMLAnchorElement} link */
  const show = async (link) => {
    const mine = (asked += 1);
    page.href = link.href;
    body.replaceChildren();
    failed.hidden = true;
    loading.hidden = false;
    if (!sheet.open) sheet.showModal();
    const article = (await fetched(link.href))?.querySelector("[data-article]");
    // Another one was asked for meanwhile.
    if (mine !== asked) return;
    loading.hidden = true;
    failed.hidden = Boolean(article);
    if (!article) return;
    const shown = document.importNode(article, true);
    shown.removeAttribute("id");
    body.append(shown);
    const title = shown.querySelector("h1");
    if (title) {
      title.id = "help-sheet-title";
      title.tabIndex = -1;
      title.focus({ preventScroll: true });
    }
    if (!reveal(body, decodeURIComponent(new URL(link.href).hash.slice(1)))) body.scrollTop = 0;
  };

  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element && event.target.closest("a");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || link === page) return;
    const inside = body.contains(link);
    if (!(inside || link.matches("[data-help]")) || link.origin !== location.origin) return;
    const here = inside && link.pathname === new URL(page.href).pathname;
    const leads = here || /^\/[\w-]+\/article\/\d+$/.test(link.pathname);
    if (!leads) return;
    event.preventDefault();
    // In the sheet a bare fragment belongs to the article, not to the page behind.
    if (inside && (here || link.getAttribute("href")?.startsWith("#"))) reveal(body, link.hash.slice(1));
    else void show(link);
  });
  for (const button of sheet.querySelectorAll("button[data-help-close]")) {
    button.addEventListener("click", () => sheet.close());
  }
  // On the page behind it: pressing there closes it.
  sheet.addEventListener("click", (event) => {
    if (event.target === sheet) sheet.close();
  });
}

/** @param {HTMLInputElement} input */
function suggestions(input) {
  const list = document.createElement("ul");
  list.className = "suggestions";
  list.hidden = true;
  input.form?.append(list);
  let timer = 0;
  let asked = 0;

  const ask = async () => {
    const mine = (asked += 1);
    const query = input.value.trim();
    const answer = query.length < LEAST ? null : await fetch(`/help/suggest?q=${encodeURIComponent(query)}`).catch(() => null);
    if (mine !== asked) return;
    const { articles } = answer?.ok ? await answer.json() : { articles: [] };
    if (mine === asked) draw(articles);
  };
  /** @param {{address: string, title: string, language: string}[]} articles */
  const draw = (articles) => {
    list.replaceChildren(
      ...articles.map(({ address, title, language }) => {
        const link = document.createElement("a");
        link.href = address;
        link.textContent = title;
        link.lang = language;
        const item = document.createElement("li");
        item.append(link);
        return item;
      }),
    );
    list.hidden = articles.length === 0;
  };
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, SUGGEST_AFTER_MS);
  });
  input.form?.addEventListener("keydown", (event) => {
    const links = [...list.querySelectorAll("a")];
    const at = links.findIndex((link) => link === document.activeElement);
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (event.key === "Escape") list.hidden = true;
    if (!step || list.hidden) return;
    event.preventDefault();
    (links[at + step] ?? input).focus();
  });
}

function folds() {
  const follow = () => reveal(document, decodeURIComponent(location.hash.slice(1)));
  addEventListener("hashchange", follow);
  addEventListener("beforeprint", () => {
    for (const fold of document.querySelectorAll("details.system")) {
      if (fold instanceof HTMLDetailsElement) fold.open = true;
    }
  });
  if (document.querySelector("[data-article]") && location.hash) follow();
}

const sheet = document.querySelector("dialog#help-sheet");
if (sheet instanceof HTMLDialogElement) sheets(sheet);
for (const input of document.querySelectorAll("input[data-suggest]")) {
  if (input instanceof HTMLInputElement) suggestions(input);
}
folds();

export {};
