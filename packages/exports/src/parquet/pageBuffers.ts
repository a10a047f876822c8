import { releaseBytes } from "@openemr-ops/core/releaseBytes";
import { levelsRoom, pageBytes } from "./page.ts";

const whole = levelsRoom + pageBytes;
/** Kept for the next page. */
const mostKept = 16;
/** Pages that wait for the threads that compress; there are four. */
const mostBusy = 8;

/** Memory for pages, used again and again, and a bound on how many are being compressed. */
export class PageBuffers {
  readonly #free: Buffer[] = [];
  #busy = 0;
  #wake: (() => void)[] = [];

  take(length: number): Buffer {
    return (length === whole ? this.#free.pop() : undefined) ?? Buffer.allocUnsafeSlow(length);
  }

  give(buffer: Buffer): void {
    if (buffer.length === whole && this.#free.length < mostKept) this.#free.push(buffer);
    else releaseBytes(buffer);
  }

  /** The buffer is free when the work on it is done. */
  async whileUsed<Result>(buffer: Buffer | undefined, work: Promise<Result>): Promise<Result> {
    this.#busy++;
    try {
      return await work;
    } finally {
      this.#busy--;
      if (buffer) this.give(buffer);
      const wake = this.#wake;
      this.#wake = [];
      for (const each of wake) each();
    }
  }

  /** Set where the next row has to wait for the threads that compress. */
  wait(): Promise<void> | undefined {
    return this.#busy < mostBusy ? undefined : this.#until(mostBusy / 2);
  }

  /** Until nothing is being compressed. */
  idle(): Promise<void> {
    return this.#until(1);
  }

  async #until(less: number): Promise<void> {
    while (this.#busy >= less) await new Promise<void>((resolve) => this.#wake.push(resolve));
  }
}
