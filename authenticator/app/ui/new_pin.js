// The two fields of a new PIN, and the reasons against what stands in them.

import { pinRefusal } from "../protocol/keys.js";
import { onEnter, pinField } from "./fields.js";
import { t } from "./words.js";

/** @typedef {import("./fields.js").Field} Field */

export class NewPin {
  /**
   * @param {{pin_min: number, pin_max: number}} policy
   * @param {string[]} names accounts' names that the PIN may be no part of
   * @param {HTMLInputElement} [with_] a PIN field before these, whose switch to letters turns them too
   */
  constructor(policy, names, with_) {
    const limits = { min: policy.pin_min, max: policy.pin_max };
    this.policy = policy;
    this.first = pinField(t("pin.choose"), { hint: t("pin.length", limits), with: with_ });
    this.again = pinField(t("pin.again"), { with: with_ ?? this.first.input });
    /** @type {(text: string) => string | null} */
    this.reasonOf = (text) => {
      const reason = pinRefusal(text, policy, names);
      return reason && t(`pin.reason.${reason}`, limits);
    };
    const { first, again } = this;
    first.input.addEventListener("input", () => {
      const text = first.input.value;
      // Too short is no mistake while somebody is still typing.
      first.refuse([...text].length >= policy.pin_min ? (this.reasonOf(text) ?? "") : "");
      again.refuse("");
    });
    again.input.addEventListener("input", () => again.refuse(""));
    onEnter(first.input, () => again.input.focus());
  }

  /** @param {() => void} act */
  onDone(act) {
    onEnter(this.again.input, act);
  }

  /** @returns {string | null} null, with the reason told, if it cannot be taken */
  read() {
    const { first, again } = this;
    const text = first.input.value;
    const reason = this.reasonOf(text);
    if (reason) return told(first, reason);
    if (text.normalize("NFC") !== again.input.value.normalize("NFC")) return told(again, t("pin.differs"));
    return text.normalize("NFC");
  }

  clear() {
    this.first.input.value = this.again.input.value = "";
  }
}

/** @param {Field} field @param {string} reason */
function told({ refuse, input }, reason) {
  refuse(reason);
  input.focus();
  return null;
}
