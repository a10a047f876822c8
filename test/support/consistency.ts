import { baseTable, columnsOf, type ReadTable, type SqlReader } from "@openemr-ops/openemr/sqlReader";

export type ConsistencyCode =
  | "document-without-patient"
  | "sequence-behind-encounters"
  | "sequence-behind-documents"
  | "login-without-user"
  | "login-name-differs";

/** Rows that do not fit each other. Counts only. */
export interface ConsistencyFinding {
  readonly code: ConsistencyCode;
  readonly count: number;
}

interface Rule {
  readonly code: ConsistencyCode;
  /** Columns by table; a rule whose columns are not all there does not apply. */
  readonly needs: Readonly<Partial<Record<ReadTable, readonly string[]>>>;
  readonly sql: string;
}

const rules: readonly Rule[] = [
  {
    code: "document-without-patient",
    needs: { documents: ["foreign_id"], patient_data: ["pid"] },
    sql: `SELECT COUNT(*) AS found FROM ${baseTable("documents", "d")} LEFT JOIN ${baseTable("patient_data", "p")} ON p.pid = d.foreign_id WHERE d.foreign_id > 0 AND p.pid IS NULL`,
  },
  {
    // Both numbers are issued from `sequences`: one that lies behind hands out an id twice.
    code: "sequence-behind-encounters",
    needs: { sequences: ["id"], form_encounter: ["encounter"] },
    sql: `SELECT COUNT(*) AS found FROM (SELECT MAX(encounter) AS id FROM ${baseTable("form_encounter")}) e WHERE e.id > (SELECT COALESCE(MAX(id), 0) FROM ${baseTable("sequences")})`,
  },
  {
    code: "sequence-behind-documents",
    needs: { sequences: ["id"], documents: ["id"] },
    sql: `SELECT COUNT(*) AS found FROM (SELECT MAX(id) AS id FROM ${baseTable("documents")}) d WHERE d.id > (SELECT COALESCE(MAX(id), 0) FROM ${baseTable("sequences")})`,
  },
  {
    code: "login-without-user",
    needs: { users: ["id"], users_secure: ["id"] },
    sql: `SELECT COUNT(*) AS found FROM ${baseTable("users_secure", "s")} LEFT JOIN ${baseTable("users", "u")} ON u.id = s.id WHERE u.id IS NULL`,
  },
  {
    // OpenEMR compares the two names byte for byte at login.
    code: "login-name-differs",
    needs: { users: ["id", "username"], users_secure: ["id", "username"] },
    sql: `SELECT COUNT(*) AS found FROM ${baseTable("users_secure", "s")} JOIN ${baseTable("users", "u")} ON u.id = s.id WHERE NOT (BINARY u.username <=> BINARY s.username)`,
  },
];

/**
 * Cheap checks across tables, for before a dump and after a restore; only what is wrong is in the result.
 * A source may break a rule all along, so a drill compares two results instead of asking for an empty one.
 */
export const checkConsistency = async (database: SqlReader): Promise<readonly ConsistencyFinding[]> => {
  const columns = new Map<ReadTable, ReadonlySet<string>>();
  const findings: ConsistencyFinding[] = [];
  for (const { code, needs, sql } of rules) {
    for (const table of Object.keys(needs) as ReadTable[]) {
      if (!columns.has(table)) columns.set(table, await columnsOf(database, table));
    }
    if (
      !Object.entries(needs).every(([table, names]) =>
        names.every((name) => columns.get(table as ReadTable)?.has(name)),
      )
    )
      continue;
    const [row] = await database.rows(sql);
    const count = Number(row?.found ?? 0);
    if (count > 0) findings.push({ code, count });
  }
  return findings;
};
