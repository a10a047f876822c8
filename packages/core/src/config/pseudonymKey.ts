import { sealKeyProblem } from "./sealKey.ts";

/**
 * What makes a key unfit for pseudonyms, in words that follow "it"; `undefined` when it is fine. Never quotes the key. As for
 * seals, whoever has an export could find a short one by trying.
 */
export const pseudonymKeyProblem = sealKeyProblem;
