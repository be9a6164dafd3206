// What kind of phone this is, as far as it changes what a person has to do.

/** @typedef {{model?: string, platformVersion?: string}} Entropy */
/** @typedef {{platform: string, getHighEntropyValues(names: string[]): Promise<Entropy>}} AgentData */
/** @typedef {{prompt(): Promise<void>, userChoice: Promise<{outcome: string}>}} InstallPrompt */

/** @typedef {"ios" | "android" | "other"} System */

/** @returns {System} */
export function system() {
  const agent = navigator.userAgent;
  if (/iPhone|iPad|iPod/u.test(agent)) return "ios";
  // An iPad calls itself a Mac; Macs have no touch screen.
  if (/Macintosh/u.test(agent) && navigator.maxTouchPoints > 1) return "ios";
  return /Android/u.test(agent) ? "android" : "other";
}

/** How the app is put onto the home screen differs by browser, not by system alone. */
export const GUIDES = /** @type {const} */ (["iphone", "ipad", "ios_browser", "chrome", "firefox", "samsung", "computer"]);
/** @typedef {typeof GUIDES[number]} Guide */

/** @returns {Guide} */
export function guide() {
  const agent = navigator.userAgent;
  if (system() === "ios") {
    if (/CriOS|FxiOS|EdgiOS|OPT\//u.test(agent)) return "ios_browser";
    return /iPhone|iPod/u.test(agent) ? "iphone" : "ipad";
  }
  if (system() !== "android") return "computer";
  if (/SamsungBrowser/u.test(agent)) return "samsung";
  return /Firefox/u.test(agent) ? "firefox" : "chrome";
}

/** Whether the app runs from the home screen. */
export const installed = () =>
  matchMedia("(display-mode: standalone), (display-mode: fullscreen)").matches ||
  /** @type {{standalone?: boolean}} */ (navigator).standalone === true;

/** On iOS the browser and the installed app share nothing: keys made in the browser would be lost. */
export const mayMakeKeys = () => system() !== "ios" || installed();

// In the order in which they are looked for: later marks occur in earlier ones' names too.
const SYSTEMS = [
  ["iPhone", "iPhone"], ["iPad", "iPad"], ["Android", "Android"], ["Windows", "Windows"], ["Mac OS X", "Mac"], ["Linux", "Linux"],
];
const BROWSERS = [
  ["Edg", "Edge"], ["SamsungBrowser", "Samsung Internet"], ["CriOS", "Chrome"], ["FxiOS", "Firefox"], ["Firefox", "Firefox"], ["Chrome", "Chrome"], ["Version", "Safari"],
];

/** @returns {Promise<{label: string, platform: string}>} a first name for this phone, and what it is */
export async function describePhone() {
  const agent = navigator.userAgent;
  const data = /** @type {{userAgentData?: AgentData}} */ (/** @type {unknown} */ (navigator)).userAgentData;
  /** @type {Entropy} */
  const entropy = (await data?.getHighEntropyValues(["model", "platformVersion"]).catch(() => ({}))) ?? {};
  const known = SYSTEMS.find(([mark]) => agent.includes(mark))?.[1] ?? "Phone";
  const [mark, browser] = BROWSERS.find(([name]) => agent.includes(`${name}/`)) ?? ["", "Browser"];
  const version = new RegExp(`${mark}/(\\d+)`, "u").exec(agent)?.[1] ?? "";
  const platform = `${browser} ${version} on ${[known, entropy.platformVersion].filter(Boolean).join(" ")}`;
  return { label: (entropy.model || known).slice(0, 40), platform: platform.slice(0, 80) };
}

/** @type {InstallPrompt | null} */
let offered = null;
globalThis.addEventListener?.("beforeinstallprompt", (event) => {
  event.preventDefault();
  offered = /** @type {InstallPrompt} */ (/** @type {unknown} */ (event));
});

/** Whether the browser has offered to install the app by a button of ours. */
export const canInstall = () => offered !== null;

/** To be called in a tap. @returns {Promise<boolean>} whether the person agreed */
export async function install() {
  const prompt = offered;
  offered = null;
  await prompt?.prompt();
  return (await prompt?.userChoice)?.outcome === "accepted";
}

/** A short shake, where there is such a thing. @param {number[]} pattern ms */
export const shake = (pattern) => void navigator.vibrate?.(pattern);
