/** One slow call alone is the machine's other work. */
const slowInARow = 3;
const slowCalls = 500;

/**
 * Whether the file system answers from this machine's memory at the moment: such a call is over before another thread could take
 * it. Once calls have taken longer, the next ones go to other threads, several at once.
 */
export class Pace {
  #slow = 0;
  #inARow = 0;

  /** Asked before each call. */
  isQuick(): boolean {
    if (this.#slow === 0) return true;
    this.#slow -= 1;
    return false;
  }

  /** Makes a call on this thread. @param most milliseconds that a quick one takes */
  timed<Result>(call: () => Result, most: number): Result {
    const began = performance.now();
    try {
      return call();
    } finally {
      this.#inARow = performance.now() - began > most ? this.#inARow + 1 : 0;
      if (this.#inARow >= slowInARow) this.#slow = slowCalls;
    }
  }
}
