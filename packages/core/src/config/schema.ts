import * as z from "zod";
import { valueAt } from "./fieldPath.ts";
import * as field from "./fields.ts";
import { type Complain, complain, onAnyObject } from "./rules.ts";
import { connection } from "./sections/connection.ts";
import { separateDestinations } from "./sections/dumps.ts";
import { installation } from "./sections/installation.ts";
import { separateMail } from "./sections/mail.ts";
import { notifications, notifiedInstallations } from "./sections/notifications.ts";
import { separateIamUsers } from "./sections/smtp.ts";
import { strict } from "./strict.ts";

const uniqueIds = (installations: readonly unknown[], context: Complain): void => {
  const seen = new Map<string, number>();
  installations.forEach((one, index) => {
    const id = valueAt(one, ["id"]);
    if (typeof id !== "string") return;
    const first = seen.get(id);
    if (first === undefined) seen.set(id, index);
    else complain(context, ["installations", index, "id"], `is taken by installations[${first}]`);
  });
};

/** Each rule gets the installations as they came, wrong ones included. */
const acrossInstallations = (settings: { readonly installations?: unknown }, context: Complain): void => {
  const installations: readonly unknown[] = Array.isArray(settings.installations) ? settings.installations : [];
  for (const rule of [uniqueIds, separateDestinations, separateIamUsers, separateMail]) rule(installations, context);
};

/** The configuration file's shape and all rules that need no look at the disk. Unknown names are refused. */
export const configSchema = strict({
  /** Directory for locks, job records and caches. */
  stateDirectory: field.place.optional(),
  /** Prometheus' metrics of jobs that no workflow runs. */
  metricsFile: field.metricsFile.optional(),
  notifications: notifications.schema.default({}),
  installations: z
    .array(installation.schema, { error: "expected a list of installations" })
    .min(1, { error: "expected a list with at least one installation" }),
})
  .superRefine(acrossInstallations, onAnyObject)
  .superRefine(notifiedInstallations, onAnyObject);

/** As much of it as says how people are notified. Nothing else is looked at. */
export const notificationsSchema = z.object({
  stateDirectory: field.place.optional(),
  notifications: notifications.schema.default({}),
});

/** What an operator writes, for `satisfies ConfigFile` in a `.ts` configuration. */
export type ConfigFile = z.input<typeof configSchema>;

/** A file of its own with the connection that a restored OpenEMR shall use. */
export const connectionSchema = connection.schema;
