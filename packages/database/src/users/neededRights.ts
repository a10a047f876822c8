import { rightsOn } from "../grants.ts";
import { hiddenPrograms } from "../hiddenPrograms.ts";
import { quoteName } from "../identifiers.ts";

/** What decides how rights are written on a server. */
export interface ServerKind {
  readonly product: "MariaDB" | "MySQL";
  /** Such as `10.11.19-MariaDB`. */
  readonly version: string;
  /** MySQL's `partial_revokes`: `_` and `%` in the name of a GRANT stand for themselves. */
  readonly literal: boolean;
}

/** Rights on one thing that a user of the product needs. */
export interface NeededRight {
  readonly rights: readonly string[];
  /** As GRANT writes it. */
  readonly on: string;
  /** Those of them that a user with these grants has in no way. @param grants as of `effectiveGrants` */
  readonly lacking: (grants: readonly string[]) => readonly string[];
  /** Set where the user works without it: what it then does not do. */
  readonly otherwise?: string;
}

const all = "ALL PRIVILEGES";

const lacking = (
  grants: readonly string[],
  schema: string,
  rights: readonly string[],
  { literal }: ServerKind,
): readonly string[] => {
  const found = rightsOn(grants, schema, { literal });
  return found.has(all) ? [] : rights.filter((right) => !found.has(right));
};

/** A schema's name in GRANT, where `_` and `%` are patterns unless the server takes them literally. */
export const schemaIn = (schema: string, { literal }: Pick<ServerKind, "literal">): string =>
  quoteName(literal ? schema : schema.replace(/[_%\\]/g, "\\$&"));

const onSchema = (rights: readonly string[], schema: string, server: ServerKind): NeededRight => ({
  rights,
  on: `${schemaIn(schema, server)}.*`,
  lacking: (grants) => lacking(grants, schema, rights, server),
});

/** All rights on every schema whose name begins so; one of these names stands for all. */
const onSchemasLike = (start: string, rest: string, server: ServerKind): NeededRight => ({
  rights: [all],
  on: `${schemaIn(start, server).slice(0, -1)}%\`.*`,
  lacking: (grants) => lacking(grants, `${start}${rest}`, [all], server),
});

/** From this release on, MariaDB has a right for it; before, whoever reads the server's own table sees all. */
const hasShowCreateRoutine = (version: string): boolean => {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > 11 || (major === 11 && minor >= 3);
};

const seeRoutines = (schema: string, server: ServerKind): NeededRight => {
  const { product, version } = server;
  const [right, on]: readonly [string, string] =
    product === "MySQL"
      ? ["SHOW_ROUTINE", "*.*"]
      : hasShowCreateRoutine(version)
        ? ["SHOW CREATE ROUTINE", `${schemaIn(schema, server)}.*`]
        : ["SELECT", "`mysql`.`proc`"];
  return {
    rights: [right],
    on,
    lacking: (grants) => (hiddenPrograms(grants, schema).includes("routines") ? [right] : []),
    otherwise: "dumps contain no stored functions and procedures",
  };
};

/** What the user that takes dumps needs. `docs/configuration.md` has the same list. */
export const rightsToDump = (schema: string, server: ServerKind): readonly NeededRight[] => [
  onSchema(["SELECT", "LOCK TABLES", "SHOW VIEW", "TRIGGER", "EVENT"], schema, server),
  seeRoutines(schema, server),
];

/**
 * What the user that restores needs: all rights on the schema, and on those that a restore makes, which begin with its name
 * and `_`. Where the server takes no patterns, a restore says which schema to grant.
 */
export const rightsToRestore = (schema: string, server: ServerKind): readonly NeededRight[] => [
  onSchema([all], schema, server),
  ...(server.literal ? [] : [onSchemasLike(`${schema}_`, "restored", server)]),
];

/** What the names of a drill's scratch schemas begin with on a server that is not its own. */
export const drillSchemaStart = (schema: string): string => `${schema.slice(0, 40)}_drill_`;

/**
 * What the user of drills needs: all rights on the scratch schemas, and none on what is live.
 *
 * @param scratch the one of an installation, where it is known: a server that takes no patterns has rights on that one
 */
export const rightsToDrill = (schema: string, server: ServerKind, scratch?: string): readonly NeededRight[] => {
  if (!server.literal) return [onSchemasLike(drillSchemaStart(schema), "1", server)];
  return scratch === undefined ? [] : [onSchema([all], scratch, server)];
};
