import { quoteName } from "./identifiers.ts";

export interface ViewDefinition {
  readonly name: string;
  /** As information_schema has it: tables and views with their schema, all names quoted. */
  readonly definition: string;
}

/**
 * Names of views, each behind those it reads from: a view with a CHECK OPTION can be made only over views that are already
 * what they are to be. A text that looks like a name may put a view later than it had to be, which harms nobody.
 */
export const viewOrder = (schema: string, views: readonly ViewDefinition[]): readonly string[] => {
  const ordered = new Set<string>();
  const underWay = new Set<string>();
  const place = (view: ViewDefinition): void => {
    if (ordered.has(view.name) || underWay.has(view.name)) return;
    underWay.add(view.name);
    for (const other of views)
      if (view.definition.includes(`${quoteName(schema)}.${quoteName(other.name)}`)) place(other);
    ordered.add(view.name);
  };
  for (const view of views) place(view);
  return [...ordered];
};
