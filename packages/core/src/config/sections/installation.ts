import type * as z from "zod";
import { valueAt } from "../fieldPath.ts";
import * as field from "../fields.ts";
import type { Resolved } from "../references.ts";
import { type Complain, complain, onAnyObject } from "../rules.ts";
import { type Section, type SettingsOf, section } from "../section.ts";
import { strict } from "../strict.ts";
import { database } from "./database.ts";
import { settleDrill } from "./drill.ts";
import { dumps } from "./dumps.ts";
import { exportRules, exports } from "./exports.ts";
import { health } from "./health.ts";
import { hookRules, hooks } from "./hooks.ts";
import { mail, mailRules } from "./mail.ts";
import { platform } from "./platform.ts";
import { residency } from "./residency.ts";
import { rotationRules, rotations } from "./rotations.ts";
import { schedules, sectionOfSchedule } from "./schedules.ts";
import { sites } from "./sites.ts";
import { users, usersRules } from "./users.ts";

/** What every installation has. */
const parts = { platform, database, sites, schedules, hooks };

/** One for each domain, all optional: an installation has those whose jobs it wants. */
const sections = { dumps, exports, health, users, rotations, mail };

export type SectionName = keyof typeof sections;
export const sectionNames = Object.keys(sections) as readonly SectionName[];

const sectionShapes = Object.fromEntries(
  Object.entries(sections).map(([name, { schema }]) => [name, schema.optional()]),
) as { [Name in SectionName]: z.ZodOptional<(typeof sections)[Name]["schema"]> };

const shape = strict({
  /** Lower-case letters, digits and hyphens; names locks, records and objects. */
  id: field.identifier,
  platform: platform.schema,
  /** Where OpenEMR answers; `http` or `https`. */
  url: field.httpUrl.optional(),
  database: database.schema,
  sites: sites.schema,
  residency: residency.optional(),
  ...sectionShapes,
  schedules: schedules.schema.default({}),
  hooks: hooks.schema.optional(),
});

/** A job that starts by itself needs what it works on. */
const scheduledSections = (installation: unknown, context: Complain): void => {
  for (const [kind, name] of Object.entries(sectionOfSchedule)) {
    if (valueAt(installation, ["schedules", kind]) === undefined) continue;
    if (valueAt(installation, [name]) === undefined)
      complain(context, [name], `is missing; expected an object, for schedules.${kind} needs it`);
  }
};

const schema = shape
  .superRefine(scheduledSections, onAnyObject)
  .superRefine(usersRules, onAnyObject)
  .superRefine(exportRules, onAnyObject)
  .superRefine(rotationRules, onAnyObject)
  .superRefine(mailRules, onAnyObject)
  .superRefine(hookRules, onAnyObject);

type Written = Resolved<z.output<typeof schema>>;

/** Each section by itself. */
interface Settled
  extends Omit<Written, keyof typeof parts | SectionName>,
    SettingsOf<Omit<typeof parts, "hooks">>,
    Partial<SettingsOf<Pick<typeof parts, "hooks">>>,
    Partial<SettingsOf<typeof sections>> {}

/** What follows from two sections. */
const settleDumps = (written: NonNullable<Settled["dumps"]>, { database, platform }: Written) => ({
  ...written,
  drill: settleDrill(written.drill, database, platform),
});

/** One hosted copy of OpenEMR: database, files, secrets. */
export interface Installation extends Omit<Settled, "dumps"> {
  readonly dumps?: ReturnType<typeof settleDumps>;
}

const settled: Readonly<Record<string, Section>> = { ...parts, ...sections };

export const installation = section(schema, (written): Installation => {
  const { dumps, ...rest } = Object.fromEntries(
    Object.entries(written).map(([name, value]) => [name, settled[name]?.settle(value) ?? value]),
  ) as unknown as Settled;
  return { ...rest, ...(dumps ? { dumps: settleDumps(dumps, written) } : {}) };
});
