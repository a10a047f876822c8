import type { TaskTokens, TokenAnswer } from "@openemr-ops/aws/taskTokens";

/** Task tokens that remember what they were told; they are gone once a result or a failure was taken. */
export interface MemoryTokens extends TaskTokens {
  readonly heard: readonly (
    | { readonly token: string; readonly output: unknown }
    | { readonly token: string; readonly failure: { readonly name: string; readonly message: string } }
  )[];
  beats(): number;
  /** From now on nobody waits. */
  end(): void;
  /** The next calls, heartbeats included, fail with these, one each. */
  failNext(...errors: readonly Error[]): void;
}

export const memoryTokens = (): MemoryTokens => {
  const heard: MemoryTokens["heard"][number][] = [];
  const failures: Error[] = [];
  let beats = 0;
  let gone = false;
  const answer = async (hear: () => void): Promise<TokenAnswer> => {
    const failure = failures.shift();
    if (failure) throw failure;
    if (gone) return "gone";
    hear();
    return "taken";
  };
  return {
    heard,
    beats: () => beats,
    end: () => {
      gone = true;
    },
    failNext: (...errors) => {
      failures.push(...errors);
    },
    succeed: (token, output) =>
      answer(() => {
        heard.push({ token, output: structuredClone(output) });
        gone = true;
      }),
    fail: (token, failure) =>
      answer(() => {
        heard.push({ token, failure });
        gone = true;
      }),
    heartbeat: () =>
      answer(() => {
        beats += 1;
      }),
  };
};
