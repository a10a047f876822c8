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
  /** Whether a user with these grants has them already, in whatever way. @param grants as of `effectiveGrants` */
  readonly has: (grants: readonly string[]) => boolean;
  /** Set where the user works without it: what it then does not do. */
  readonly otherwise?: string;
}

const all = "ALL PRIVILEGES";

const has = (
  grants: readonly string[],
  schema: string,
  rights: readonly string[],
  { literal }: ServerKind,
): boolean => {
  const found = rightsOn(grants, schema, { literal });
  return found.has(all) || rights.every((right) => found.has(right));
};

/** A schema's name in GRANT, where `_` and `%` are patterns unless the server takes them literally. */
export const schemaIn = (schema: string, { literal }: Pick<ServerKind, "literal">): string =>
  quoteName(literal ? schema : schema.replace(/[_%\\]/g, "\\$&"));

const onSchema = (rights: readonly string[], schema: string, server: ServerKind): NeededRight => ({
  rights,
  on: `${schemaIn(schema, server)}.*`,
  has: (grants) => has(grants, schema, rights, server),
});

/** From this release on, MariaDB has a right for it; before, whoever reads the server's own table sees all. */
const hasShowCreateRoutine = (version: string): boolean => {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > 11 || (major === 11 && minor >= 3);
};

const seeRoutines = (schema: string, server: ServerKind): NeededRight => {
  const { product, version } = server;
  const [right, on] =
    product === "MySQL"
      ? ["SHOW_ROUTINE", "*.*"]
      : hasShowCreateRoutine(version)
        ? ["SHOW CREATE ROUTINE", `${schemaIn(schema, server)}.*`]
        : ["SELECT", "`mysql`.`proc`"];
  return {
    rights: [right],
    on,
    has: (grants) => !hiddenPrograms(grants, schema).includes("routines"),
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
export const rightsToRestore = (schema: string, server: ServerKind): readonly NeededRight[] => {
  const beside = `${schemaIn(`${schema}_`, server)}`;
  return [
    onSchema([all], schema, server),
    ...(server.literal
      ? []
      : [
          {
            rights: [all],
            on: `${beside.slice(0, -1)}%\`.*`,
            has: (grants: readonly string[]) => has(grants, `${schema}_restored`, [all], server),
          },
        ]),
  ];
};
