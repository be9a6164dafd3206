// The link form of an activation ticket (spec §5), also what the QR code holds. The secret
// stands in the fragment, which no browser sends to a server.

import { unb64u } from "./encoding.js";
import { Malformed } from "./errors.js";

const VERSION = "1";
const LINK = /^(https?:\/\/[^\s/?#]+(?:\/[^\s?#]*)?)\/activate(?:#(\S*))?$/u;

/**
 * @typedef {object} ActivationLink
 * @property {string} address the phone app's, without a trailing slash
 * @property {string} secret base64url of 16 bytes
 * @property {string} server the key id that the server's signing key must have
 */

/** @param {ActivationLink} link */
export const renderLink = ({ address, secret, server }) =>
  `${address}/activate#${VERSION}.${secret}.${server}`;

/**
 * @param {string} text as scanned, opened or pasted
 * @returns {ActivationLink}
 * @throws {Malformed} `link_foreign`, `link_version`, `link_malformed`
 */
export function parseLink(text) {
  const match = LINK.exec(text.trim());
  if (!match) throw new Malformed("link_foreign");
  const [version, ...parts] = (match[2] ?? "").split(".");
  if (version !== VERSION && /^[0-9]+$/u.test(version)) throw new Malformed("link_version");
  if (version !== VERSION || parts.length !== 2 || !parts.every(isId)) throw new Malformed("link_malformed");
  return { address: match[1], secret: parts[0], server: parts[1] };
}

/** @param {string} text */
function isId(text) {
  try {
    return unb64u(text).length === 16;
  } catch {
    return false;
  }
}
