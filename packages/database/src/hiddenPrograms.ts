import { unquoteName } from "./identifiers.ts";

/** `%` and `_` of a GRANT's schema pattern stand for others, after `\` for themselves. */
const matches = (pattern: string, schema: string): boolean => {
  const source = pattern.replace(/\\(.)|(%)|(_)|([.*+?^${}()|[\]\\])/gs, (_, itself, many, one, special) => {
    if (many) return ".*";
    if (one) return ".";
    return (itself ?? special).replace(/[.*+?^${}()|[\]\\]/, "\\$&");
  });
  return new RegExp(`^${source}$`, "s").test(schema);
};

const onSchemas = /^GRANT (.+?) ON (\*\.\*|`(?:[^`]|``)*`\.\*) TO (\S+)/s;
const onProc = /^GRANT (?:ALL PRIVILEGES|(?:.+, )?SELECT)(?:,.+)? ON `mysql`\.(?:`proc`|\*) TO /s;
const ofRole = /^GRANT [`'"].* TO /s;

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
 * @param grants what SHOW GRANTS says. Where it names roles and not what they hold, we cannot tell, and hide nothing
 */
export const hiddenPrograms = (grants: readonly string[], schema: string): readonly HiddenProgram[] => {
  const rights = new Set<string>();
  let rolesTold = !grants.some((grant) => ofRole.test(grant) && !onSchemas.test(grant));
  for (const grant of grants) {
    const [, list = "", on = "", to = ""] = onSchemas.exec(grant) ?? [];
    if (to && !to.includes("@")) rolesTold = true;
    if (on === "*.*" || matches(unquoteName(on) ?? "", schema)) for (const right of list.split(", ")) rights.add(right);
    // Routines are rows of a table of the server's own: whoever reads that, or everything, sees them.
    if (onProc.test(grant) || (on === "*.*" && list.split(", ").includes("SELECT"))) rights.add("SHOW_ROUTINE");
  }
  if (!rolesTold || rights.has("ALL PRIVILEGES")) return [];
  return (["triggers", "events", "routines"] as const).filter(
    (programs) => !showing[programs].some((right) => rights.has(right)),
  );
};
