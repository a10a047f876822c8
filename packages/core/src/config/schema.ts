import * as z from "zod";
import {
  type DestinationPlace,
  destinationForms,
  endpointOrigin,
  overlap,
  parseDestinationUrl,
} from "./destinationAddress.ts";
import { valueAt } from "./fieldPath.ts";
import * as field from "./fields.ts";
import { strict } from "./strict.ts";

/** Rules across fields run even when a field is wrong by itself, so that one look shows all that is to mend. */
const onAnyObject = { when: ({ value }: { readonly value: unknown }) => typeof value === "object" && value !== null };

const secret = {
  password: field.passwordReference.optional(),
  passwordFile: field.passwordFile.optional(),
};

interface MaybeSecret {
  readonly password?: unknown;
  readonly passwordFile?: unknown;
}

type Complain = z.core.$RefinementCtx;

const complain = (context: Complain, path: readonly PropertyKey[], message: string): void => {
  context.addIssue({ code: "custom", path: [...path], message });
};

const needsOneSecret = (settings: MaybeSecret, context: Complain): void => {
  if (settings.password !== undefined && settings.passwordFile !== undefined) {
    complain(context, ["password"], "say either password or passwordFile, not both");
  } else if (settings.password === undefined && settings.passwordFile === undefined) {
    complain(context, ["passwordFile"], "expected a file that holds the password, env:NAME or a secret's ARN");
  }
};

const server = {
  host: field.host,
  port: field.port.default(3306),
  user: field.userName,
  ...secret,
  tls: field.tlsMode.optional(),
  caFile: field.fileName.optional(),
};

const serverRules = (
  settings: MaybeSecret & { readonly tls?: unknown; readonly caFile?: unknown },
  context: Complain,
): void => {
  needsOneSecret(settings, context);
  if (settings.tls === "off" && settings.caFile !== undefined) {
    complain(context, ["caFile"], 'has no use with tls "off"; say tls "verify", or leave caFile out');
  }
};

const database = strict({
  ...server,
  name: field.schemaName,
  restore: strict({ user: field.userName, ...secret })
    .superRefine(needsOneSecret, onAnyObject)
    .optional(),
}).superRefine(serverRules, onAnyObject);

const platform = z.discriminatedUnion(
  "kind",
  [
    strict({ kind: z.literal("host"), codePath: field.fileName.optional() }),
    strict({
      kind: z.literal("ecs"),
      cluster: field.ecsName("cluster"),
      service: field.ecsName("service"),
      network: strict({
        vpcId: field.awsId("vpc", "VPC"),
        subnetIds: field.someOf(field.awsId("subnet", "subnet"), "subnets' identifiers"),
        securityGroupIds: field.someOf(field.awsId("sg", "security group"), "security groups' identifiers"),
        endpoints: strict({
          routeTableIds: field.someOf(field.awsId("rtb", "route table"), "route tables' identifiers"),
        }).optional(),
      }).optional(),
    }),
    strict({ kind: z.literal("kubernetes") }),
    strict({ kind: z.literal("cloudRun") }),
  ],
  {
    error: (issue) =>
      issue.code === "invalid_union"
        ? "expected host, ecs, kubernetes or cloudRun"
        : 'expected an object such as { "kind": "host" }',
  },
);

const retention = strict({
  keepLast: field.keep.default(0),
  keepDaily: field.keep.default(0),
  keepWeekly: field.keep.default(0),
  keepMonthly: field.keep.default(0),
  keepYearly: field.keep.default(0),
}).refine((policy) => Object.values(policy).some((count) => count > 0), {
  error: "keeps nothing; set at least one of keepLast, keepDaily, keepWeekly, keepMonthly, keepYearly above 0",
});

const dumps = strict({
  format: field.dumpFormat.default("restic"),
  destination: z.string({ error: `expected ${destinationForms}` }),
  endpoint: field.endpoint.optional(),
  region: field.region.optional(),
  pathStyle: z.boolean({ error: "expected true or false" }).optional(),
  ...secret,
  compression: field.compression.optional(),
  ageRecipients: z.array(field.ageRecipient, { error: "expected a list of age recipients" }).optional(),
  ageIdentityFile: field.ageIdentityFile.optional(),
  sealKeyFile: field.passwordFile.optional(),
  retention,
  stallSeconds: field.stallSeconds.default(300),
  drill: strict({
    database: strict({ ...server, host: field.host.optional(), port: field.port.optional() })
      .superRefine(serverRules, onAnyObject)
      .optional(),
    directory: field.fileName.optional(),
  }).optional(),
}).superRefine((settings, context) => {
  const { format, destination, endpoint, region } = settings;
  if (format === "restic") needsOneSecret(settings, context);
  for (const only of ["compression", "ageRecipients", "ageIdentityFile", "sealKeyFile"] as const) {
    if (format === "restic" && settings[only] !== undefined) {
      complain(context, [only], 'is for format "portable"; restic compresses, encrypts and seals by itself');
    }
  }
  for (const name of ["password", "passwordFile"] as const) {
    if (format === "portable" && settings[name] !== undefined) {
      complain(context, [name], 'is for format "restic"; a portable dump is encrypted with ageRecipients');
    }
  }
  if (typeof destination !== "string") return;
  const parsed = parseDestinationUrl(destination);
  if ("problem" in parsed) return complain(context, ["destination"], parsed.problem);
  for (const name of ["endpoint", "region", "pathStyle"] as const) {
    if (parsed.address.kind !== "s3" && settings[name] !== undefined) {
      complain(context, [name], "is for destinations that start with s3://");
    }
  }
  if (
    parsed.address.kind === "s3" &&
    endpoint === undefined &&
    typeof region === "string" &&
    !field.awsRegion.test(region)
  ) {
    complain(context, ["region"], "expected a region of AWS, such as eu-central-1");
  }
}, onAnyObject);

const when = {
  cron: field.cron,
  timeZone: field.timeZone.default("UTC"),
  flexibleMinutes: field.flexibleMinutes.default(0),
  deadlineMinutes: field.deadlineMinutes.default(360),
};

const schedules = strict({
  dump: strict(when).optional(),
  drill: strict(when).optional(),
  check: strict({ ...when, level: field.checkLevel.default("read-data") }).optional(),
});

const slack = strict({
  webhook: field.postingSecret.optional(),
  botToken: field.postingSecret.optional(),
  channel: field.slackChannel.optional(),
}).superRefine(({ webhook, botToken, channel }, context) => {
  if (webhook !== undefined && botToken !== undefined)
    complain(context, ["webhook"], "say either webhook, or botToken and channel, not both");
  else if (webhook === undefined && botToken === undefined)
    complain(context, ["webhook"], "expected env:NAME or a secret's ARN here, or botToken and channel");
  if (botToken !== undefined && channel === undefined)
    complain(context, ["channel"], "is missing; a bot posts to a channel's identifier, such as C0123456789");
  if (webhook !== undefined && channel !== undefined)
    complain(context, ["channel"], "is for a botToken; a webhook has its channel");
}, onAnyObject);

const installation = strict({
  id: field.identifier,
  platform,
  url: field.httpUrl.optional(),
  database,
  sites: strict({
    path: field.sitesPath,
    fileSystemId: field.awsId("fs", "EFS file system").optional(),
    accessPointId: field.awsId("fsap", "EFS access point").optional(),
  }).superRefine(({ fileSystemId, accessPointId }, context) => {
    if (accessPointId !== undefined && fileSystemId === undefined)
      complain(context, ["fileSystemId"], "is missing; an access point is one of a file system");
  }, onAnyObject),
  dumps,
  schedules: schedules.optional(),
});

/** Each installation as it came, wrong ones included. */
const installationsOf = (settings: { readonly installations?: unknown }): readonly unknown[] =>
  Array.isArray(settings.installations) ? settings.installations : [];

const uniqueIds = (settings: { readonly installations?: unknown }, context: Complain): void => {
  const seen = new Map<string, number>();
  installationsOf(settings).forEach((one, index) => {
    const id = valueAt(one, ["id"]);
    if (typeof id !== "string") return;
    const first = seen.get(id);
    if (first === undefined) seen.set(id, index);
    else complain(context, ["installations", index, "id"], `is taken by installations[${first}]`);
  });
};

/** Two installations in one repository, or one inside the other's directory, would prune and overwrite each other. */
const separateDestinations = (settings: { readonly installations?: unknown }, context: Complain): void => {
  const seen: { readonly index: number; readonly place: DestinationPlace }[] = [];
  installationsOf(settings).forEach((one, index) => {
    const destination = valueAt(one, ["dumps", "destination"]);
    const endpoint = valueAt(one, ["dumps", "endpoint"]);
    const parsed = typeof destination === "string" ? parseDestinationUrl(destination) : undefined;
    if (!parsed || "problem" in parsed) return;
    const place =
      typeof endpoint === "string" ? { ...parsed.address, endpoint: endpointOrigin(endpoint) } : parsed.address;
    const other = seen.find((earlier) => overlap(earlier.place, place));
    if (other) {
      const message = `is the same place as that of installations[${other.index}], or one lies inside the other`;
      complain(context, ["installations", index, "dumps", "destination"], message);
    }
    seen.push({ index, place });
  });
};

/** The configuration file's shape and all rules that need no look at the disk. Unknown names are refused. */
export const configSchema = strict({
  stateDirectory: field.fileName.optional(),
  notifications: strict({ slack: slack.optional() }).optional(),
  installations: z
    .array(installation, { error: "expected a list of installations" })
    .min(1, { error: "expected a list with at least one installation" }),
})
  .superRefine(uniqueIds, onAnyObject)
  .superRefine(separateDestinations, onAnyObject);

/** What an operator writes, for `satisfies ConfigFile` in a `.ts` configuration. */
export type ConfigFile = z.input<typeof configSchema>;

/** The same after defaults, before file names are made absolute. */
export type ParsedConfig = z.output<typeof configSchema>;

/** A file of its own with the connection that a restored OpenEMR shall use. */
export const connectionSchema = strict({
  host: field.host,
  port: field.port.default(3306),
  name: field.schemaName,
  user: field.userName,
  ...secret,
}).superRefine(needsOneSecret, onAnyObject);

export type ParsedConnection = z.output<typeof connectionSchema>;
