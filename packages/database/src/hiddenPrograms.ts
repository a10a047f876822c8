import { rightsOn } from "./grants.ts";

const onProc = /^GRANT (?:ALL PRIVILEGES|(?:.+, )?SELECT)(?:,.+)? ON `mysql`\.(?:`proc`|\*) TO /s;

export type HiddenProgram = "triggers" | "events" | "routines";

/** Any of these shows the programs. */
const showing: Readonly<Record<HiddenProgram, readonly string[]>> = {
  triggers: ["TRIGGER"],
  events: ["EVENT"],
  routines: ["SHOW CREATE ROUTINE", "SHOW_ROUTINE"],
};

/**
 * What a user would not see if it were there: without the right TRIGGER or EVENT a server shows none, and of stored routines
 * those alone that the user may run, so that a dump would lack them and nobody would know.
 *
 * @param grants as of `effectiveGrants`: a role whose rights are not among them gives none
 */
export const hiddenPrograms = (grants: readonly string[], schema: string): readonly HiddenProgram[] => {
  const rights = new Set(rightsOn(grants, schema));
  // Routines are rows of a table of the server's own: whoever reads that, or everything, sees them.
  const readsAll = grants.some((grant) => /^GRANT (?:.+, )?SELECT(?:,.+)? ON \*\.\* TO /s.test(grant));
  if (readsAll || grants.some((grant) => onProc.test(grant))) rights.add("SHOW_ROUTINE");
  if (rights.has("ALL PRIVILEGES")) return [];
  return (["triggers", "events", "routines"] as const).filter(
    (programs) => !showing[programs].some((right) => rights.has(right)),
  );
};
