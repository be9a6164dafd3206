// What a rotating QR code holds (spec §8): which sign-in to claim, and proof that its page was
// seen. It stands in the fragment, which no browser sends to a server, and is over in seconds.

import { unb64u } from "./encoding.js";
import { Malformed } from "./errors.js";

const VERSION = "1";
const LINK = /^(https?:\/\/[^\s/?#]+(?:\/[^\s?#]*)?)\/claim(?:#(\S*))?$/u;

/**
 * @typedef {object} ClaimLink
 * @property {string} address the phone app's, without a trailing slash
 * @property {string} attempt the id of the sign-in
 * @property {string} token base64url of 16 bytes
 */

/** @param {ClaimLink} link */
export const renderClaimLink = (link) => `${link.address}/claim#${VERSION}.${claimOf(link)}`;

/** As `POST /device/claims` takes it. @param {{attempt: string, token: string}} link */
export const claimOf = ({ attempt, token }) => `${attempt}.${token}`;

/**
 * @param {string} text as scanned or opened
 * @returns {ClaimLink}
 * @throws {Malformed} `link_foreign`, `link_version`, `link_malformed`
 */
export function parseClaimLink(text) {
  const match = LINK.exec(text.trim());
  if (!match) throw new Malformed("link_foreign");
  const [version, ...parts] = (match[2] ?? "").split(".");
  if (version !== VERSION && /^[0-9]+$/u.test(version)) throw new Malformed("link_version");
  if (version !== VERSION || parts.length !== 2 || !parts.every(isId)) throw new Malformed("link_malformed");
  return { address: match[1], attempt: parts[0], token: parts[1] };
}

/** @param {string} text */
function isId(text) {
  try {
    return unb64u(text).length === 16;
  } catch {
    return false;
  }
}
