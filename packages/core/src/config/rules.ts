import type * as z from "zod";

/** Rules across fields run even when a field is wrong by itself, so that one run shows all that is to correct. */
export const onAnyObject = {
  when: ({ value }: { readonly value: unknown }) => typeof value === "object" && value !== null,
};

/** Where a rule puts what it finds wrong. */
export type Complain = z.core.$RefinementCtx;

export const complain = (context: Complain, path: readonly PropertyKey[], message: string): void => {
  context.addIssue({ code: "custom", path: [...path], message });
};
