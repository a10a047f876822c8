import { resolve } from "node:path";
import type * as z from "zod";
import { fieldPath } from "./fieldPath.ts";
import { mapReferences, type Resolved } from "./references.ts";
import { configSchema, notificationsSchema } from "./schema.ts";
import { toSecretReference } from "./secrets.ts";
import { connection } from "./sections/connection.ts";
import { copyTarget } from "./sections/copyTarget.ts";
import { installation } from "./sections/installation.ts";
import { notifications } from "./sections/notifications.ts";
import type { Config, CopySettings, NotificationSettings, OpenEmrConnection } from "./settings.ts";

const resolveReferences = <Schema extends z.ZodType>(schema: Schema, value: z.output<Schema>, directory: string) =>
  mapReferences(schema, value, (text, path, reference) =>
    reference.kind === "secret"
      ? toSecretReference(text, fieldPath(path), directory, reference)
      : resolve(directory, text),
  ) as Resolved<z.output<Schema>>;

/** Fills in defaults that depend on other settings and makes every file name absolute, relative ones from `directory`. */
export const resolveConfig = (config: z.output<typeof configSchema>, directory: string): Config => {
  const written = resolveReferences(configSchema, config, directory);
  return {
    ...written,
    stateDirectory: written.stateDirectory ?? resolve(directory, ".openemr-ops"),
    notifications: notifications.settle(written.notifications),
    installations: written.installations.map((one) => installation.settle(one)),
  };
};

/** The same for the part of a configuration that says how people are notified. */
export const resolveNotifications = (
  config: z.output<typeof notificationsSchema>,
  directory: string,
): NotificationSettings => {
  const written = resolveReferences(notificationsSchema, config, directory);
  return {
    stateDirectory: written.stateDirectory ?? resolve(directory, ".openemr-ops"),
    notifications: notifications.settle(written.notifications),
  };
};

/** The same for a connection file. */
export const resolveConnection = (settings: z.output<typeof connection.schema>, directory: string): OpenEmrConnection =>
  connection.settle(resolveReferences(connection.schema, settings, directory));

/** The same for a file with the place of a copy. */
export const resolveCopyTarget = (settings: z.output<typeof copyTarget.schema>, directory: string): CopySettings =>
  copyTarget.settle(resolveReferences(copyTarget.schema, settings, directory));
