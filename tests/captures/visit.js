// What a person's browser does on the site of site.py, with the secrets of the browser's side.
// One expression: a function of {origin, secret, jwt}, run inside a page of the site.
async ({ origin, secret, jwt }) => {
  const S = (place) => {
    if (!(place in secret)) throw new Error(`no secret for ${place}`);
    return secret[place];
  };
  const url = encodeURIComponent;
  const b64 = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));
  const hex = (text) => [...new TextEncoder().encode(text)].map((b) => b.toString(16).padStart(2, "0")).join("");
  const later = (ms) => new Promise((done) => setTimeout(done, ms));
  const quiet = (work) => Promise.resolve(work).then((answer) => answer.text?.(), () => undefined);
  const get = (path, options = {}) => quiet(fetch(origin + path, options));
  const post = (path, body, type, more = {}) =>
    get(path, { method: "POST", body, headers: type ? { "Content-Type": type, ...more } : more });
  const json = (value, path = "/api") => post(path, JSON.stringify(value), "application/json");
  const form = (fields) => post("/done", new URLSearchParams(fields));

  document.cookie = `js=${S("cookie.script")}; path=/`;
  document.cookie = `state=${url(JSON.stringify({ user: S("cookie.script-json") }))}; path=/`;

  // Headers of requests
  const names = ["x-api-key", "x-auth-token", "x-csrf-token", "x-xsrf-token", "x-access-token",
    "x-session-id", "apikey", "x-amz-security-token", "x-goog-api-key", "x-vault-token", "x-device-id",
    "x-forwarded-user", "x-signature", "idempotency-key", "x-request-id", "x-unheard-of",
    "x-user-email", "x-otp"];
  const planted = Object.fromEntries(names.map((name) => [name, S(`header.${name}`)]));
  await get("/headers", { headers: {
    ...planted, "Authorization": `Bearer ${S("header.authorization")}`, "X-Id": jwt["jwt.header"],
    "Accept-Language": `en-${S("header.accept-language")}`, [S("name.header")]: "1" } });
  await get("/basic", { headers: { Authorization: `Basic ${b64(`${S("basic.username")}:${S("basic.password")}`)}` } });
  await get("/from", { referrer: `${origin}/came?token=${S("header.referer")}` });

  // Queries, fragments, paths
  const plain = ["token", "access_token", "code", "state", "session", "sid", "key", "api_key", "sig",
    "signature", "X-Amz-Signature", "X-Amz-Credential", "X-Amz-Security-Token", "ticket", "nonce", "hint",
    "page", "lang", "sort", "id", "email", "password", "otp", "phone", "card", "number", "login_hint", "uuid"];
  await get(`/query?page=2&lang=en&${plain.map((name) => `${name}=${url(S(`query.${name}`))}`).join("&")}`);
  await get(`/query?q=${url(S("query.search"))}&id_token=${jwt["jwt.query"]}`);
  await get(`/query?${S("query.bare")}`);
  await get(`/query?a=${S("query.twice")}&a=2&A=${S("query.upper-case")}&&=`);
  await get(`/query?a=1;b=${S("query.semicolon")}`);
  await get(`/query?next=${url(url(S("query.double-encoded")))}&to=${url(url(`/x?token=${S("query.nested-url")}`))}`);
  await get(`/query?filter=${url(JSON.stringify({ user: S("query.json") }))}&x=${url(b64(`id ${S("query.base64")}`))}`);
  await get(`/query?a[${S("query.array")}]=1&k=v=${S("query.equals")}&${url(`t[${S("query.encoded-name")}]`)}=1`);
  await get(`/query?${S("name.query")}=1`);
  await get(`/query#${S("fragment.route")}`);
  await post(`/query?token=${S("query.post")}`, "a=1", "application/x-www-form-urlencoded");
  for (const path of [`/reset/${S("path.reset")}`, `/verify/${S("path.otp")}`, `/verify/${S("path.verify")}`,
    `/invite/${b64(S("path.invite"))}`, `/shop;jsessionid=${S("path.matrix")}/basket`, `/files/${S("path.file")}.pdf`,
    `/orders/${S("path.orders")}/lines/2`, `/users/${S("path.uuid")}`, `/u/${url(S("path.email"))}`,
    `/accounts/${S("path.number")}`, `/card/${S("path.card")}`, `/s/${hex(S("path.session"))}`,
    `/a%2F${S("path.encoded")}`, `/token=${S("path.after-word")}`, `/x/${S("path.trailing")}/`,
    `/${S("path.first")}`,
    `/photos/${S("path.image")}.png`, `/assets/${S("path.script").slice(0, 20)}.js`, `/get/${S("path.after-file").slice(0, 24)}.svg`, `/x/${S("path.capitals").toUpperCase()}`, `/jwt/${jwt["jwt.path"]}`]) await get(path);

  // Forms
  await form({ username: S("form.username"), password: S("form.password"), otp: S("form.otp"),
    csrf: S("form.csrf"), token: S("form.token"), new_password: S("form.new-password"), remember: "on" });
  await form({ cardholder: S("form.name"), card: S("form.card"), iban: S("form.iban"),
    number: S("form.card-spaced").replace(/(.{4})(?=.)/g, "$1 "), phone: S("form.phone"), pin: S("form.pin") });
  await form({ data: JSON.stringify({ t: S("form.json") }), blob: b64(S("form.base64")), jwt: jwt["jwt.form"],
    page: S("form.page"), state: S("form.state"), p: url(S("form.encoded")), [S("name.form")]: "1" });
  await post("/done", `token=${S("form.text-plain")}\r\n`, "text/plain");
  const upload = new FormData();
  for (const place of ["token", "password", "email", "card"]) upload.append(place, S(`multipart.${place}`));
  upload.append("meta", JSON.stringify({ id: S("multipart.json") }));
  upload.append(S("name.multipart"), "1");
  upload.append("file", new Blob([`id ${S("multipart.file")}`], { type: "text/plain" }), `${S("multipart.filename")}.txt`);
  await post("/upload", upload);
  const frame = (name) => document.body.appendChild(Object.assign(document.createElement("iframe"), { name }));
  frame("answers");
  const sent = document.createElement("form");
  Object.assign(sent, { method: "post", action: "/sign-in", target: "answers" });
  for (const [name, value] of [["token", S("form.hidden")], ["page", S("form.iframe")]])
    sent.append(Object.assign(document.createElement("input"), { name, value }));
  document.body.append(sent);
  sent.submit();
  frame("framed").src = `/framed?token=${S("query.iframe")}`;

  // JSON
  await json({ username: S("json.username"), password: S("json.password"), otp: S("json.otp"),
    user: { credentials: { secret: S("json.secret"), pw: S("json.nested-password") } } }, "/login");
  await json({ access_token: S("json.access_token"), refreshToken: S("json.refresh_token"),
    a: [{ b: [S("json.array"), { c: S("json.nested") }] }], status: S("json.status"), error: S("json.error"),
    type: S("json.type"), message: `Dear ${S("json.full-name")}, see ${S("json.message")}`,
    date: `2026-01-01T${S("json.date")}`, code: Number(S("json.otp-number")), pin: Number(S("json.pin-number")),
    card: S("json.card"), total: Number(S("json.card-number")), account: Number(S("json.account-number")),
    amount: Number(`0.${S("json.float")}`), text: S("json.account-text"), phone: S("json.phone"),
    note: `Call ${S("json.free-text")} back`, cvc: [...S("json.cvc-list")], id: S("json.uuid"), id_token: jwt["jwt.json"] });
  await json({ body: JSON.stringify({ t: S("json.in-string") }), payload: b64(JSON.stringify({ t: S("json.base64-in-string") })),
    link: `https://files.example/x?sig=${S("json.url")}`, h: hex(S("json.hex")), [S("name.json")]: null,
    UPPER: S("json.upper").toUpperCase(), image: `data:text/plain,${S("json.data-url")}`,
    wide: b64([...S("json.utf16")].map((c) => c + "\0").join("")),
    html: [...S("json.entities")].map((c) => `&#${c.charCodeAt(0)};`).join("") });
  const squeeze = new Blob([S("json.gzip")]).stream().pipeThrough(new CompressionStream("gzip"));
  const squeezed = new Uint8Array(await new Response(squeeze).arrayBuffer());
  await json({ zipped: btoa(String.fromCharCode(...squeezed)) });
  await post("/api", `)]}',\n{"t":"${S("json.prefix")}"}`, "application/json");
  await post("/api", `{"a":1}\n{"t":"${S("json.lines")}"}\n`, "application/x-ndjson");
  await post("/api", JSON.stringify({ t: S("json.text-plain") }), "text/plain");
  await json(S("json.top-string"));
  let deep = S("json.deep");
  for (let i = 0; i < 80; i++) deep = [deep];
  await json(deep);
  await get("/api", { method: "PATCH", body: JSON.stringify([{ op: "add", value: S("json.patch") }]) });
  navigator.sendBeacon(`/beacon?sid=${S("query.beacon-address")}`, JSON.stringify({ t: S("json.beacon") }));

  // GraphQL, storage, OAuth
  await json({ operationName: "SignIn", query: `mutation { signIn(token: "${S("graphql.literal")}") { ok } }`,
    variables: { t: S("graphql.variable"), password: S("graphql.password"), email: S("graphql.email"), name: S("graphql.name") },
    extensions: { id: S("graphql.extension"), op: S("graphql.operation") } }, "/graphql");
  sessionStorage.setItem("session", S("storage.session"));
  localStorage.setItem("auth", JSON.stringify({ token: S("storage.token"), id: jwt["jwt.storage"] }));
  localStorage.setItem(S("name.storage"), "1");
  localStorage.setItem("plain", S("storage.local"));
  await json({ localStorage: { ...localStorage }, sessionStorage: { ...sessionStorage },
    dump: [["a", { value: S("storage.nested") }], S("storage.array")] }, "/diagnostics");
  await post("/oauth/token", new URLSearchParams({ grant_type: "authorization_code", code_verifier: S("oauth.verifier"),
    client_secret: S("oauth.client-secret"), device_code: S("oauth.device-code") }));
  await post("/oauth/form-post", `code=${S("oauth.form-post")}`, "application/x-www-form-urlencoded");
  await post("/saml/ecp", `SAMLart=x&password=${url(S("saml.password"))}`, "application/x-www-form-urlencoded");

  // Answers
  for (const name of ["token", "script", "map", "xml", "svg", "jsonp", "text", "binary", "image", "manifest",
    "prefix", "lines", "utf16", "problem", "graphql", "big"]) await get(`/reply/${name}`);
  for (const status of [400, 401, 404, 500]) await get(`/failing/${status}?token=${status === 404 ? S("query.error") : "x"}`);
  await get("/squeezed");
  await get("/chunked");
  await get("/redirect");
  await quiet(fetch(`http://127.0.0.1:9/?token=${S("query.failed")}`));
  await get(`/preflight?t=${S("query.preflight")}`, { headers: { "X-One": "1" } });
  await get("/method", { method: S("name.method") });
  await new Function("origin", `return (async function ${S("name.function")}() { await fetch(origin + "/named"); })()`)(origin);
  const source = document.createElement("script");
  source.src = `/reply/script?t=${S("query.worker")}`;
  document.head.append(source);
  await new Function("origin", `return fetch(origin + "/sourced")\n//# sourceURL=${origin}/eval.js?t=${S("inline.initiator")}`)(origin);

  // WebSocket and events
  const socket = new WebSocket(`${origin.replace("http", "ws")}/socket?token=${S("websocket.address")}`,
    ["bearer", S("websocket.protocol")]);
  await new Promise((done) => { socket.onopen = socket.onerror = done; });
  if (socket.readyState === 1) {
    socket.send(JSON.stringify({ type: "auth", token: S("websocket.sent-json"), password: S("websocket.password"),
      otp: S("websocket.otp"), card: S("websocket.card") }));
    socket.send(`AUTH ${S("websocket.sent-text")}`);
    socket.send(new TextEncoder().encode(`\u0001\u0002${S("websocket.sent-binary")}`));
    socket.send(`CONNECT\nlogin:x\npasscode:${S("websocket.stomp")}\n\n\0`);
    socket.send(JSON.stringify([[1, "t", { t: S("websocket.batch") }]]));
    await later(300);
    socket.send("bye");
  }
  const stream = new EventSource(`/events?token=${S("events.address")}`);
  await new Promise((done) => {
    stream.addEventListener("end", done);
    setTimeout(done, 3000);
  });
  stream.close();
  await later(500);
  return true;
}
