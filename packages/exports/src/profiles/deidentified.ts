import { sealKeyProblem } from "@openemr-ops/core/config/sealKey";
import { InvalidInputError } from "@openemr-ops/core/errors";
import type { ColumnKind, ColumnMeaning } from "@openemr-ops/openemr/privacy/columnKinds";
import { secretColumnReason, secretTableReason } from "@openemr-ops/openemr/privacy/secrets";
import { columnsOf } from "@openemr-ops/openemr/privacy/tableMap";
import { withheldReason } from "@openemr-ops/openemr/privacy/withheldTables";
import { type ColumnDecision, planTables } from "./planTables.ts";
import type { Profile, TableColumn, TableDescription } from "./profile.ts";
import { pseudonymsOf } from "./pseudonyms.ts";
import { isDate, isOpaque, kept, measured, pseudonym, shuffledBy, yearOf, zipOf } from "./treatments.ts";

/** Why columns of a kind are left out. Kinds that are not here have a treatment. */
const dropReasons: Readonly<Record<Exclude<ColumnKind, "birth" | "dates" | "measured" | "none">, string>> = {
  names: "names",
  geographic: "smaller than a state",
  phone: "telephone numbers",
  fax: "fax numbers",
  email: "e-mail addresses",
  ssn: "social security numbers",
  mrn: "medical record numbers",
  healthPlanBeneficiary: "numbers of health plans",
  account: "account numbers",
  certificateLicense: "certificate and licence numbers",
  device: "numbers of devices",
  url: "web addresses and file names",
  ipAddress: "IP addresses",
  biometric: "signatures",
  otherUnique: "numbers that identify elsewhere",
  freeText: "free text",
};

/** Somewhere it is already this late: the day of an export is a day of the clinic. */
const furthestZoneHours = 14;
const ageOfGroup = 90;

/**
 * The first year of birth that stays by itself; whoever is 90 or older was born in it or before. In that year people of 89 and
 * 90 were born; they stay together, because to tell them apart would tell on which side of the export's day a birthday is.
 */
const firstYearAt = (exportDate: Date): number =>
  new Date(exportDate.getTime() + furthestZoneHours * 3_600_000).getUTCFullYear() - ageOfGroup;

/**
 * Safe Harbor, 45 CFR 164.514(b)(2), for what is known of OpenEMR's schema; all else is left out. A person has to approve its
 * use: see docs/deidentification.md.
 *
 * @param key makes the pseudonyms; exports of the same key can be joined. Never leaves the process
 * @throws {InvalidInputError} the key is short enough to be guessed
 */
export const deidentified = ({ key, exportDate }: { readonly key: string; readonly exportDate: Date }): Profile => {
  const problem = sealKeyProblem(key);
  if (problem)
    throw new InvalidInputError([{ path: "exports.pseudonymKey", message: `the key of pseudonyms ${problem}` }]);
  const pseudonymsIn = pseudonymsOf(key);
  const firstYear = firstYearAt(exportDate);
  // In hexadecimal digits; tells nothing of the key.
  const salt = pseudonymsIn("order of rows")(Buffer.from(exportDate.toISOString())) ?? "";

  const treat = (table: TableDescription, column: TableColumn, meaning: ColumnMeaning): ColumnDecision => {
    if (meaning.kind === "id") {
      const { subject } = meaning;
      const domain = subject === "own" ? `${table.name}.${column.name}`.toLowerCase() : subject;
      return pseudonym(column, domain, pseudonymsIn(domain));
    }
    if (meaning.kind === "zip") {
      const find = (wanted: string) => table.columns.find(({ name }) => name.toLowerCase() === wanted)?.name;
      return zipOf(column, { country: find(meaning.country), state: find(meaning.state) });
    }
    if (
      meaning.kind === "none" ||
      meaning.kind === "measured" ||
      meaning.kind === "birth" ||
      meaning.kind === "dates"
    ) {
      // Whatever the map says: no day and no bytes leave.
      if (isDate(column)) return yearOf(column, firstYear);
      if (isOpaque(column)) return "bytes, or a time of day";
      if (meaning.kind === "none") return kept(column);
      return meaning.kind === "measured" ? measured(column) : "a date as text";
    }
    return dropReasons[meaning.kind];
  };

  return {
    name: "deidentified",
    plan: (tables) =>
      planTables(tables, (table) => {
        const columns = columnsOf(table.name);
        const ids = table.columns.filter(({ name }) => columns?.get(name.toLowerCase())?.kind === "id");
        return {
          orderBy: shuffledBy(ids, salt),
          withheld:
            secretTableReason(table.name) ??
            withheldReason(table.name) ??
            (columns === undefined ? "not known to the map of this profile" : undefined),
          column: (column) => {
            const meaning = columns?.get(column.name.toLowerCase());
            return (
              secretColumnReason(table.name, column.name) ??
              (meaning === undefined ? "not known to the map of this profile" : treat(table, column, meaning))
            );
          },
        };
      }),
  };
};
