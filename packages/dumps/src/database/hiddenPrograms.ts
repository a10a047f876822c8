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
const ofRole = /^GRANT [`'"].* TO /s;

/**
 * What a user would not see if it were there: without the right TRIGGER or EVENT a server shows none, so that a dump
 * would lack them and nobody would know.
 *
 * @param grants what SHOW GRANTS says. Where it names roles and not what they hold, we cannot tell, and hide nothing
 */
export const hiddenPrograms = (grants: readonly string[], schema: string): readonly ("triggers" | "events")[] => {
  const rights = new Set<string>();
  let rolesTold = !grants.some((grant) => ofRole.test(grant) && !onSchemas.test(grant));
  for (const grant of grants) {
    const [, list = "", on = "", to = ""] = onSchemas.exec(grant) ?? [];
    if (to && !to.includes("@")) rolesTold = true;
    if (on === "*.*" || matches(unquoteName(on) ?? "", schema)) for (const right of list.split(", ")) rights.add(right);
  }
  if (!rolesTold || rights.has("ALL PRIVILEGES")) return [];
  const needed = { triggers: "TRIGGER", events: "EVENT" } as const;
  return (["triggers", "events"] as const).filter((programs) => !rights.has(needed[programs]));
};
