// Faults of three kinds, told apart by class; the code is the stable name of the cause.

/** Something did not go as asked. `code` names a cause of the specification or of this app. */
export class Problem extends Error {
  /**
   * @param {string} code
   * @param {Record<string, unknown>} [facts] what a message to people may need: `left`, `until`, `reference`
   */
  constructor(code, facts = {}) {
    super(code);
    this.name = new.target.name;
    this.code = code;
    this.facts = facts;
  }
}

/** A lawful no: the other side, or a rule of this app, refuses. */
export class Refused extends Problem {}

/** The other side, or a picture or text put in, broke the protocol. */
export class Malformed extends Problem {}

/** Something outside failed: the network, the camera, the storage. */
export class Unavailable extends Problem {}

/** The code of whatever was thrown. @param {unknown} problem */
export const codeOf = (problem) => (problem instanceof Problem ? problem.code : "unexpected");
