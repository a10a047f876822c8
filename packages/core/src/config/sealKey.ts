/** Below this, whoever may read a sealed manifest could find its key by trying. */
const shortestSealKey = 32;

/** What makes a key unfit to seal with, in words that follow "it"; `undefined` when it is fine. Never quotes the key. */
export const sealKeyProblem = (key: string): string | undefined =>
  key.length < shortestSealKey
    ? `is shorter than ${shortestSealKey} characters; openssl rand -hex 32 makes one`
    : undefined;
