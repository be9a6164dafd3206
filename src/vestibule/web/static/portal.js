// What a page does by itself: shows times in the reader's own zone, counts down, waits for news.
// Every page works without it. Server-sent events drive a waiting page through attributes:
//
//   data-wait="/path"      on one element: the stream to listen to
//   event go    {to}       move on to `to`, a path of this origin
//   event step  {name}     data-step=name is done, and the one after it is under way
//   data-memory="..."      beside it: what was told by steps is kept while the page says the same
//   event show  {part, text}   data-part=part appears, data-part-off=part disappears;
//                          text fills the elements with data-slot=<key>
//   event delivered        as step "sent"; event undelivered as show of that part
//   event code  {size, modules}   draws a QR code in data-code: bits in base64url, row by row
//   event state {...}      booleans show or hide data-part=<key>, texts fill data-slot=<key>
//   data-until="<ms>"      counts down to that server time; data-at-zero="/path" then moves on,
//                          data-shows=<key> then shows that part

const MEMORY = "vestibule.step";
const page = document.documentElement;
const offset = Number(page.dataset.now) - Date.now();

const all = (selector) => document.querySelectorAll(selector);
const own = (path) => typeof path === "string" && /^\/(?![/\\])/.test(path);

function localTimes() {
  const day = new Intl.DateTimeFormat(page.lang, { dateStyle: "medium" });
  const hour = new Intl.DateTimeFormat(page.lang, { timeStyle: "short" });
  const near = new Intl.RelativeTimeFormat(page.lang, { numeric: "auto" });
  const now = new Date(Date.now() + offset);
  const yesterday = new Date(now.getFullYear(), now.getMonth(), now.getDate() - 1);
  for (const time of all("time[datetime]")) {
    const then = new Date(time.dateTime);
    const ago = [now, yesterday].findIndex((date) => date.toDateString() === then.toDateString());
    time.title ||= time.textContent;
    time.textContent = `${ago < 0 ? day.format(then) : near.format(-ago, "day")}, ${hour.format(then)}`;
  }
}

function countDown() {
  const clocks = [...all("[data-until]")];
  if (clocks.length === 0) return;
  const tick = () => {
    for (const clock of clocks) {
      const left = Math.max(0, Math.round((Number(clock.dataset.until) - Date.now() - offset) / 1000));
      clock.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
      if (left > 0) continue;
      if (clock.dataset.shows) show(clock.dataset.shows);
      if (own(clock.dataset.atZero)) {
        clearInterval(timer);
        location.replace(clock.dataset.atZero);
      }
    }
  };
  const timer = setInterval(tick, 1000);
  tick();
}

function step(name) {
  const done = document.querySelector(`[data-step="${CSS.escape(name)}"]`);
  if (!done) return;
  done.dataset.state = "done";
  done.removeAttribute("aria-current");
  const next = done.nextElementSibling;
  if (next && next.dataset.state === "next") next.dataset.state = "now";
}

function show(part, text) {
  const name = CSS.escape(part);
  for (const [key, value] of Object.entries(text ?? {})) {
    for (const slot of all(`[data-slot="${CSS.escape(key)}"]`)) slot.textContent = value;
  }
  for (const gone of all(`[data-part-off="${name}"]`)) gone.hidden = true;
  for (const shown of all(`[data-part="${name}"]`)) {
    shown.hidden = false;
    shown.querySelector("[tabindex='-1']")?.focus();
  }
}

function state(news) {
  for (const [key, value] of Object.entries(news)) {
    const name = CSS.escape(key);
    if (typeof value === "boolean") {
      for (const part of all(`[data-part="${name}"]`)) part.hidden = !value;
    } else if (typeof value === "string") {
      for (const slot of all(`[data-slot="${name}"]`)) fill(slot, value);
    }
  }
}

// Digits keep their groups, which are one element each.
function fill(slot, text) {
  if (slot.textContent === text) return;
  const groups = slot.childElementCount;
  if (groups < 2) {
    slot.textContent = text;
    return;
  }
  const size = Math.ceil(text.length / groups);
  [...slot.children].forEach((group, index) => {
    group.textContent = text.slice(index * size, (index + 1) * size);
  });
}

function draw({ size, modules }) {
  const path = document.querySelector("[data-code] path");
  if (!path) return;
  const bytes = atob(modules.replaceAll("-", "+").replaceAll("_", "/"));
  const dark = (at) => (bytes.charCodeAt(at >> 3) >> (7 - (at & 7))) & 1;
  let line = "";
  for (let y = 0; y < size; y += 1) {
    for (let x = 0; x < size; x += 1) {
      if (dark(y * size + x)) line += `M${x + 4} ${y + 4.5}h1`;
    }
  }
  path.setAttribute("d", line);
}

function wait(place) {
  const path = place.dataset.wait;
  const { memory } = place.dataset;
  let source;
  let over = false;
  let hidden;

  const on = (name, act) =>
    source.addEventListener(name, (event) => {
      const news = JSON.parse(event.data);
      if (news.last) close();
      act(news);
    });
  const close = () => {
    over = true;
    source?.close();
  };
  const open = () => {
    if (over || (source && source.readyState !== EventSource.CLOSED)) return;
    source = new EventSource(path);
    on("go", ({ to }) => {
      if (!own(to)) return;
      close();
      location.replace(to);
    });
    on("step", ({ name }) => {
      if (memory) sessionStorage.setItem(MEMORY, JSON.stringify([memory, name]));
      step(name);
    });
    on("show", ({ part, text }) => show(part, text));
    on("delivered", () => step("sent"));
    on("undelivered", () => show("undelivered"));
    on("state", state);
    on("code", draw);
    source.addEventListener("error", () => {
      // A dropped line comes back by itself. A refused one does not: the page then asks again,
      // unless that would throw away what somebody is typing.
      if (source.readyState !== EventSource.CLOSED || over) return;
      const typing = [...all("input:not([type=hidden]), textarea")].some((input) => input.value);
      setTimeout(() => (typing ? open() : location.reload()), 5000);
    });
  };

  // Browsers keep six lines to a host: a tab that nobody looks at for a minute lets go of its own.
  document.addEventListener("visibilitychange", () => {
    clearTimeout(hidden);
    if (document.hidden) hidden = setTimeout(() => source?.close(), 60_000);
    else open();
  });
  // The answer to a form decides where to go: news of the same thing must not overtake it, for
  // the answer that is dropped may carry the session.
  document.addEventListener("submit", close);
  addEventListener("pagehide", () => source?.close());
  addEventListener("pageshow", open);
  const [about, name] = JSON.parse(sessionStorage.getItem(MEMORY) ?? "[]");
  if (memory && about === memory) step(name);
  open();
}

function menus() {
  const close = (event) => {
    for (const menu of all("details.menu[open]")) {
      const outside = event.type === "click" && !menu.contains(event.target);
      if (outside) menu.open = false;
      if (event.key === "Escape") {
        menu.open = false;
        menu.querySelector("summary").focus();
      }
    }
  };
  document.addEventListener("click", close);
  document.addEventListener("keydown", close);
}

function copies() {
  if (!navigator.clipboard) return;
  for (const button of all("button[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.textContent = button.dataset.copied;
    });
  }
}

function prints() {
  for (const button of all("button[data-print]")) {
    button.hidden = false;
    button.addEventListener("click", () => print());
  }
}

localTimes();
countDown();
menus();
copies();
prints();
// Another module has drawn a part of the page anew.
document.addEventListener("drawn", localTimes);
const waiting = document.querySelector("[data-wait]");
if (waiting) wait(waiting);
