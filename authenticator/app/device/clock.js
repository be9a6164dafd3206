// Server time. A phone's clock may be wrong by hours; the offset to the server's is learnt from
// every answer and kept, so that messages are dated rightly.

export class Clock {
  /** @param {number} [offset] milliseconds to add to this phone's clock */
  constructor(offset = 0) {
    this.offset = offset;
    /** @type {(offset: number) => void} */
    this.learnt = () => {};
  }

  /** @returns {number} milliseconds since the epoch, server time */
  now() {
    return Date.now() + this.offset;
  }

  /** @returns {number} whole seconds, as messages carry them */
  seconds() {
    return Math.floor(this.now() / 1000);
  }

  /** @param {number} serverNow milliseconds @param {number} sentAt this phone's clock when asking */
  hear(serverNow, sentAt) {
    const offset = Math.round(serverNow - (sentAt + Date.now()) / 2);
    const moved = Math.abs(offset - this.offset) > 1000;
    this.offset = offset;
    if (moved) this.learnt(offset);
  }
}
