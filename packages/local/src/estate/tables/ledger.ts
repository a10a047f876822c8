import { type EstateTable, noRows } from "../table.ts";

/**
 * What the application keeps so that any copy of the schema can be judged: each transaction adds entries that are numbered
 * without a gap and sum to zero, and moves the head on. A copy that mixes two moments breaks one of these rules.
 */
export const ledgerTables: readonly EstateTable[] = [
  {
    name: "module_ledger",
    columns: {
      entry: "bigint NOT NULL",
      round: "bigint NOT NULL",
      amount: "int NOT NULL",
      encounter: "bigint NOT NULL",
      document_id: "bigint NOT NULL",
      log_id: "bigint NOT NULL",
    },
    keys: ["PRIMARY KEY (entry)", "KEY round (round)"],
    rows: noRows,
  },
  {
    name: "module_ledger_head",
    columns: { id: "int NOT NULL", last_entry: "bigint NOT NULL", rounds: "bigint NOT NULL" },
    keys: ["PRIMARY KEY (id)"],
    rows: () => [[1, 0, 0]],
  },
];
