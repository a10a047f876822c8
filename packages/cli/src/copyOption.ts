import { optional } from "./options.ts";
import { aCopy } from "./optionValues.ts";

/** For commands that work on one store: the first destination, or a copy. */
export const copyOption = {
  copy: optional("--copy <n>", "work on the n-th copy of the configuration instead of the first destination", aCopy),
};

export interface CopyOption {
  readonly copy?: number;
}
