import { existsSync, readFileSync } from "node:fs";

/**
 * Test vectors made by OpenEMR's own classes. They are not part of this project (OpenEMR is GPL) and may lie beside it, in
 * `../shared/vectors`; without them the tests built from them do not exist, and our own cases cover the same promises.
 */
export const sharedVectors = <T>(file: string): T | undefined => {
  const url = new URL(`../../../shared/vectors/${file}`, import.meta.url);
  return existsSync(url) ? (JSON.parse(readFileSync(url, "utf8")) as T) : undefined;
};
