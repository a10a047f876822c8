import type { InstallationWith } from "@openemr-ops/core/config/settings";
import {
  DatabaseMissingError,
  DestinationAccessDeniedError,
  DestinationMissingError,
  DestinationUnavailableError,
  type OpsError,
  ResidencyError,
  SourceLayoutError,
  SourceUnreadableError,
} from "@openemr-ops/core/errors";
import { connectReadOnly } from "@openemr-ops/database/connection";
import { sitesOfDatabase } from "@openemr-ops/dumps/steps/inspect";
import { planDump } from "@openemr-ops/dumps/steps/takeDump";
import { realPlace } from "@openemr-ops/files/directory";
import { proveKeys } from "@openemr-ops/openemr/keyProof";
import { dumpContext } from "../../programs/dumpContext.ts";
import type { Check } from "../check.ts";
import type { Examined } from "../examined.ts";
import { ok, type Sight, warning } from "../finding.ts";
import { accessFor, type Login, loggedIn, loginsOf } from "./logins.ts";
import { credentialIds, destinationId } from "./stores.ts";
import { toolId } from "./tools.ts";

/** The field that a warning of a dump is about; of all others, it is the source. */
const fieldsOfWarnings: Readonly<Record<string, string>> = {
  "dump-user-may-change": "database.user",
  "programs-not-visible": "database.user",
  "routines-not-visible": "database.user",
  "statements-logged": "dumps.drill.database",
  "views-not-looked-at": "database.user",
};

const toCorrect = "follow the message, unless this is intended; dumps still work";

const fieldOf = (error: OpsError): string | undefined => {
  const is = (...kinds: readonly (new (message: string) => OpsError)[]) => kinds.some((kind) => error instanceof kind);
  if (is(SourceLayoutError, SourceUnreadableError)) return "sites.path";
  if (is(DestinationAccessDeniedError, DestinationMissingError, DestinationUnavailableError))
    return "dumps.destination";
  if (is(DatabaseMissingError)) return "database.name";
  return is(ResidencyError) ? "residency" : undefined;
};

/** What `dump --dry-run` finds, and whether OpenEMR's keys open what they are for. */
export const dumpPlanChecks = (examined: Examined, { dumps }: InstallationWith<"dumps">): readonly Check[] => {
  const { place, at } = examined;
  const [login] = loginsOf(examined) as readonly [Login, ...Login[]];
  const source = ["sites", "sites-readable", ...loggedIn(login), "dump-schema", "dump-rights"];
  const stores = [undefined, ...dumps.copies.map((_, index) => index + 1)].map(destinationId);
  return [
    {
      name: "dump-plan",
      field: `${at}.dumps`,
      after: [toolId("store"), "state-directory", ...source, ...credentialIds(dumps), ...stores, "exports-destination"],
      seconds: undefined,
      look: async (): Promise<readonly Sight[]> => {
        const { tables, sites, warnings } = await planDump(await dumpContext(place));
        return [
          ok(`a dump would have ${tables} tables and the sites ${sites.join(", ")}`),
          ...warnings.map(({ code, message }) =>
            warning(message, toCorrect, `${at}.${fieldsOfWarnings[code] ?? "sites.path"}`),
          ),
        ];
      },
      explain: (error) => {
        const field = fieldOf(error);
        return field === undefined ? undefined : { field: `${at}.${field}` };
      },
    },
    {
      name: "keys",
      field: `${at}.sites.path`,
      after: source,
      look: async (signal): Promise<Sight | readonly Sight[]> => {
        const database = accessFor(examined, login, signal, place.installation.database.name);
        const sitesPath = await realPlace(place.installation.sites.path);
        const { sites } = await sitesOfDatabase(sitesPath, database);
        await using connection = await connectReadOnly(database);
        const { status, problems } = await proveKeys({ sitesPath, database: connection, sites });
        if (problems.length === 0) return ok(`the keys of ${sites.length} sites: ${status}`);
        const next = "find the keys that belong to this database: a restore of this source cannot be decrypted either";
        return problems.map(({ message }) => warning(message, next));
      },
    },
  ];
};
