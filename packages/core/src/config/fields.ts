import { isIPv4, isIPv6 } from "node:net";
import { isAbsolute } from "node:path";
import * as z from "zod";
import { cronProblem } from "../cron.ts";
import { parseStoreCredentials } from "../storeCredentials.ts";
import { administratorProblem } from "./administrator.ts";
import { namesDocument, namesFile, namesSecret, namesWrittenSecret, type SecretRule } from "./references.ts";

/** A text of one shape; `expected` says it in words, for the message. */
const text = (expected: string, fits: (value: string) => boolean): z.ZodString =>
  z.string({ error: `expected ${expected}` }).refine(fits, { error: `expected ${expected}` });

const whole = (expected: string, least: number, most: number): z.ZodInt => {
  const error = `expected ${expected}`;
  return z.int({ error }).min(least, { error }).max(most, { error });
};

const choice = <const Names extends readonly [string, ...string[]]>(names: Names) =>
  z.enum(names, { error: `expected ${names.join(", ").replace(/, ([^,]*)$/, " or $1")}` });

const hasControl = (value: string): boolean => /\p{Cc}/u.test(value);

export const identifier = text("1 to 63 lower-case letters, digits and hyphens, a letter or digit first", (value) =>
  /^[a-z0-9][a-z0-9-]{0,62}$/.test(value),
);

export const host = text(
  "a host name or an IP address, without port, spaces or slashes",
  (value) => isIPv6(value) || /^(?!-)[A-Za-z0-9._-]{1,253}$/.test(value),
);

export const port = whole("a whole number from 1 to 65535", 1, 65_535);

/** Names of MySQL's and MariaDB's own schemas; a dump or a restore there would be a mistake. */
const serverSchemas: ReadonlySet<string> = new Set(["information_schema", "mysql", "performance_schema", "sys"]);

/** A schema's name. Narrower than the server's rules: what could escape from a quoted name, a path or an option is out. */
export const schemaName = text(
  "a schema's name of 1 to 64 characters, without slashes, backticks, control characters, a hyphen first, and not one of the server's own",
  (value) =>
    /^(?![.-])[^/\\`\p{Cc}\p{Cs}\u{10000}-\u{10ffff}]{1,64}$/u.test(value) &&
    !value.endsWith(" ") &&
    !serverSchemas.has(value.toLowerCase()),
);

export const userName = text(
  "a user's name of 1 to 128 characters, without control characters",
  (value) => value.length >= 1 && value.length <= 128 && !hasControl(value),
);

export const tlsMode = choice(["off", "required", "verify"]);

/** How the certificate of a web server is looked at. */
export const pageTls = choice(["required", "verify"]);

export const pageText = text(
  "a text of 1 to 1000 characters, without control characters",
  (value) => value.length >= 1 && value.length <= 1000 && !hasControl(value),
);

/** A file or directory, absolute or relative to the file that names it. */
export const fileName = text("the name of a file or directory", (value) => value !== "" && !hasControl(value));

/** `fileName` in a configuration. Whether something is there is seen when it is used. */
export const place = namesFile(fileName);

const endsInProm = "the name of a file that ends in .prom: Prometheus' node exporter reads no others";
/** A file of metrics; absolute or relative to where it is named. */
export const metricsFileName = text(endsInProm, (value) => /[^/]\.prom$/.test(value) && !hasControl(value));
/** `metricsFileName` in a configuration. */
export const metricsFile = namesFile(metricsFileName);

/** A file with the certificates of the authorities to trust. */
export const caFile = namesFile(fileName, {
  fits: (content) => content.includes("-----BEGIN CERTIFICATE-----"),
  lacks: "no certificate in PEM form",
});

export const environmentReference = /^env:([A-Za-z_][A-Za-z0-9_]*)$/;

/** A Secrets Manager ARN, with the field of a JSON secret after `#`. */
export const secretReference =
  /^(arn:aws(?:-[a-z]+)*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[A-Za-z0-9/_+=.@!-]+)(?:#([A-Za-z0-9_.-]+))?$/;

const isReference = (value: string): boolean => environmentReference.test(value) || secretReference.test(value);

/** A file with a secret in one line; takes a reference too. */
export const secretFile = (rule?: SecretRule) =>
  namesSecret(
    text(
      "a file that holds the password, env:NAME or a secret's ARN",
      (value) => value !== "" && !hasControl(value) && (isReference(value) || !/^(env|arn):/.test(value)),
    ),
    rule,
  );

/**
 * The two fields that set one secret: `password` takes a reference only, since a password written into the configuration
 * would be kept, copied and committed with it; `passwordFile` takes a file's name too. Messages repeat neither: people paste
 * the password itself.
 *
 * @param rule one for the secret's value beyond those of `passwordText.ts`
 */
export const secretOf = <const Name extends string>(name: Name, rule?: SecretRule) => {
  const reference = z.string({ error: "expected env:NAME or a secret's ARN" }).refine(isReference, {
    error: `holds neither env:NAME nor a secret's ARN; put the password itself into a file and name it in ${name}File`,
  });
  const setting = namesSecret(reference, rule).optional();
  return { [name]: setting, [`${name}File`]: secretFile(rule).optional() } as {
    [Field in Name | `${Name}File`]: typeof setting;
  };
};

/** The place of a secret with JSON. Messages never repeat it: people paste the content itself. */
const documentPlace = (what: string) =>
  text(`a file that holds ${what}, env:NAME or a secret's ARN`, (value) => {
    const written = value !== "" && !hasControl(value) && !value.includes("{");
    return written && (isReference(value) || !/^(env|arn):/.test(value));
  });

/** The store's credentials; see `storeCredentials.ts`. */
export const storeCredentials = namesDocument(documentPlace("the store's credentials"), (value) => {
  const parsed = parseStoreCredentials(value);
  return "problem" in parsed ? parsed.problem : undefined;
});

/** The login of whoever makes database users; see `administrator.ts`. */
export const administrator = namesDocument(
  documentPlace("the login of the database's administrator"),
  administratorProblem,
);

/** The place of a secret with JSON that jobs write, whole. Messages never repeat it: people paste the content itself. */
export const writtenSecret = (what: string) =>
  namesWrittenSecret(
    z.string({ error: `expected a file that holds ${what}, or a secret's ARN` }).refine(
      (value) => {
        const [, arn, key] = secretReference.exec(value) ?? [];
        if (arn !== undefined) return key === undefined;
        return value !== "" && !hasControl(value) && !value.includes("{") && !/^(env|arn):/.test(value);
      },
      {
        error: `names neither a file that holds ${what} nor a secret's ARN; the job writes there, so a variable or one field of a secret cannot serve`,
      },
    ),
  );

/** The identifier of a cluster or an instance of RDS. Source: Amazon RDS API reference, CreateDBCluster. */
export const rdsIdentifier = text(
  "the identifier of a cluster of RDS",
  (value) => /^[A-Za-z](?!.*--)[A-Za-z0-9-]{0,62}$/.test(value) && !value.endsWith("-"),
);

/** A program and its arguments: no shell reads them. */
export const commandLine = z
  .array(
    text("a program's name or an argument, without control characters", (value) => value !== "" && !hasControl(value)),
    { error: 'expected a program and its arguments, such as ["systemctl", "reload", "apache2"]' },
  )
  .min(1, { error: 'expected a program and its arguments, such as ["systemctl", "reload", "apache2"]' });

/** A user of AWS's identity service. Source: docs.aws.amazon.com/IAM/latest/APIReference/API_CreateUser.html. */
export const iamUserName = text("the name of an IAM user: 1 to 64 letters, digits and any of _+=,.@-", (value) =>
  /^[\w+=,.@-]{1,64}$/.test(value),
);

/** Source: docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html. */
export const parameterName = text(
  "the name of a parameter of Systems Manager, such as smtp_user or /openemr/smtp_user",
  (value) => /^\/?[\w.-]+(\/[\w.-]+)*$/.test(value) && value.length <= 1011 && !/^\/?(aws|ssm)/i.test(value),
);

/** `starttls` begins in plain text and goes on encrypted; `implicit` is encrypted from the first byte. */
export const smtpTls = choice(["starttls", "implicit"]);

/** A week; a workflow waits for it. */
export const longestSoakMinutes = 10_080;
export const soakMinutes = whole("a whole number of minutes from 0 to 10080", 0, longestSoakMinutes);

/** The same, and `none`: nothing is encrypted. */
export const mailTls = choice(["starttls", "implicit", "none"]);

/** When people are notified. `recovery`: a success after a failure of the same kind. */
export const occasions = ["start", "success", "failure", "recovery"] as const;
const someOccasions = "start, success, failure or recovery";
export const occasionList = z
  .array(z.enum(occasions, { error: `expected ${someOccasions}` }), { error: `expected a list of ${someOccasions}` })
  .min(1, { error: `expected a list of ${someOccasions}, one at least` });

/** How long a program that the configuration attaches to a job may take. */
export const commandSeconds = whole("a whole number of seconds from 1 to 86400", 1, 86_400);

export const redeploySeconds = whole("a whole number of seconds from 1 to 86400", 1, 86_400);
/** Whole secrets: what has one field reads a secret, and Secrets Manager rotates secrets. */
export const secretArns = z
  .array(
    text("the ARN of a secret of Secrets Manager, without a field", (value) => {
      const [, arn, key] = secretReference.exec(value) ?? [];
      return arn !== undefined && key === undefined;
    }),
    { error: "expected a list of ARNs of secrets" },
  )
  .min(1, { error: "expected at least one ARN of a secret" });

export const settleSeconds = whole("a whole number of seconds from 0 to 3600", 0, 3_600);

export const httpUrl = text("an http:// or https:// address without user, password or query", (value) => {
  const url = URL.parse(value);
  if (!url || hasControl(value) || /\s/.test(value)) return false;
  return /^https?:$/.test(url.protocol) && url.username === "" && url.password === "" && !/[?#@]/.test(value);
});

/** The server's root: a path below it is not part of the S3 protocol's addressing. */
export const endpoint = httpUrl.refine((value) => (URL.parse(value)?.pathname ?? "/") === "/", {
  error: "expected a server's address without a path, such as https://s3.example.org",
});

export const region = text("a region, such as eu-central-1", (value) => /^[a-z0-9][a-z0-9-]{0,62}$/.test(value));

/** An AWS region's shape; new ones appear too often for a list. */
export const awsRegion = /^[a-z]{2,4}(-[a-z]+)+-\d{1,2}$/;

export const ecsName = (what: "cluster" | "service") =>
  text(
    `the name or ARN of an ECS ${what}`,
    (value) =>
      /^[A-Za-z0-9_-]{1,255}$/.test(value) ||
      new RegExp(`^arn:aws[a-z-]*:ecs:[a-z0-9-]+:\\d{12}:${what}/[A-Za-z0-9_/-]+$`).test(value),
  );

/** A region of AWS by its name. */
export const awsRegionName = text("a region of AWS, such as eu-central-1", (value) => awsRegion.test(value));

/** Source: cloud.google.com/storage/docs/locations. */
export const gcsLocation = text("a location of Google Cloud Storage, such as europe-west3 or EU", (value) =>
  /^[A-Za-z]+[A-Za-z0-9-]*$/.test(value),
);

const sizes = [256, 512, 1024, 2048, 4096, 8192, 16_384];
export const taskCpu = z
  .int({ error: `expected ${sizes.join(", ")} units of CPU` })
  .refine((value) => sizes.includes(value), { error: `expected ${sizes.join(", ")} units of CPU` });
export const taskMemory = whole("a whole number of MiB from 512 to 122880", 512, 122_880);
/** Fargate's limits. */
export const taskDisk = whole("a whole number of GiB from 21 to 200", 21, 200);
export const taskArchitecture = choice(["X86_64", "ARM64"]);

export const sitesEngine = z.enum(["direct", "datasync"], { error: "expected direct or datasync" });

/** Source: docs.aws.amazon.com/datasync/latest/userguide/API_StartTaskExecution.html. */
export const dataSyncTask = text("the ARN of a task of DataSync", (value) =>
  /^arn:aws[a-z-]*:datasync:[a-z0-9-]+:\d{12}:task\/task-[0-9a-f]{17}$/.test(value),
);

export const exportEngine = choice(["direct", "aurora"]);
export const exportProfile = choice(["full", "deidentified"]);
export const exportUuids = choice(["bytes", "text"]);
/** Athena takes no other characters. */
export const catalogueName = z
  .string({ error: "expected the name of a database of Glue" })
  .regex(/^[a-z0-9_]{1,128}$/, "expected lower-case letters, digits and _, at most 128");
export const exportBlobs = choice(["keep", "drop"]);
export const exportDocuments = choice(["as-stored", "decrypted"]);
export const exportDeletions = choice(["record", "mirror"]);

export const dumpFormat = choice(["restic", "portable"]);
export const compression = choice(["gzip", "zstd"]);

/** X25519 recipient of age. Source: github.com/C2SP/C2SP/blob/main/age.md. */
export const ageRecipient = z
  .string({ error: "expected an age recipient (age1…)" })
  .refine((value) => !/^AGE-SECRET-KEY-/i.test(value), {
    error: "is a private age identity, which opens dumps; keep it off this machine and put its recipient (age1…) here",
    abort: true,
  })
  .refine((value) => /^age1[ac-hj-np-z02-9]{58}$/.test(value), {
    error: "expected an age recipient: age1 and 58 characters",
  });

/** A file with age's private half. Messages never repeat it: people paste the identity itself. */
export const ageIdentityFile = namesFile(
  fileName.refine((value) => !/^AGE-SECRET-KEY-/i.test(value), {
    error: "holds the identity itself; put it into a file and name the file here",
  }),
  {
    fits: (content) => /^AGE-SECRET-KEY-/m.test(content),
    lacks: "no age identity (a line AGE-SECRET-KEY-…)",
    secret: true,
  },
);

/** S3's limit is 100 years. */
export const lockDays = whole("a whole number of days from 1 to 36500", 1, 36_500);
export const lockMode = choice(["governance", "compliance"]);

export const keep = whole("a whole number, 0 or more", 0, 1_000_000);
/** Up to a week. */
export const goalMinutes = whole("a whole number of minutes from 1 to 10080", 1, 10_080);
export const stallSeconds = whole("a whole number of seconds from 1 to 86400", 1, 86_400);

export const sitesPath = namesFile(
  fileName.refine((value) => !isAbsolute(value) || /[^/.]/.test(value), {
    error: "is the root directory; name OpenEMR's sites directory",
  }),
);

/** An identifier that AWS gave, such as `subnet-0123456789abcdef0`. */
export const awsId = (prefix: string, what: string) =>
  text(`the identifier of ${/^[AE]/.test(what) ? "an" : "a"} ${what}, such as ${prefix}-0123456789abcdef0`, (value) =>
    new RegExp(`^${prefix}-[0-9a-f]{8,40}$`).test(value),
  );

/** A range that a VPC can have: 16 to 65536 addresses. Source: docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html. */
export const vpcRange = text("an IPv4 range of a VPC, such as 10.0.0.0/16", (value) => {
  const [, address = "", bits] = /^([\d.]+)\/(\d{2})$/.exec(value) ?? [];
  return isIPv4(address) && Number(bits) >= 16 && Number(bits) <= 28;
});

/**
 * The two fields that set one secret that lets its owner post, such as an address or a token; as `secretOf` makes them for a password.
 * Messages repeat neither: people paste the address itself.
 *
 * @param what for messages, such as `address`
 */
export const postingSecretOf = <const Name extends string>(name: Name, what: string) => {
  const reference = namesSecret(
    z.string({ error: "expected env:NAME or a secret's ARN" }).refine(isReference, {
      error: `contains neither env:NAME nor a secret's ARN; put the ${what} itself into a file and name the file in ${name}File`,
    }),
  ).optional();
  const file = namesSecret(
    z.string({ error: `expected a file with the ${what}` }).refine(
      (value) => {
        const written = value !== "" && !hasControl(value) && !value.includes("://");
        return written && (isReference(value) || !/^(env|arn):/.test(value));
      },
      { error: `names no file; put the ${what} into a file of its own and name the file here` },
    ),
  ).optional();
  return { [name]: reference, [`${name}File`]: file } as { [Field in Name | `${Name}File`]: typeof reference };
};

/** A list that holds something. */
export const someOf = <Item extends z.ZodType>(item: Item, what: string) =>
  z.array(item, { error: `expected a list of ${what}` }).min(1, { error: `expected a list of ${what}, one at least` });

/** Five fields; what they may hold is in `cron.ts`. */
export const cron = z
  .string({ error: 'expected five fields of cron, such as "30 4 * * *"' })
  .superRefine((value, context) => {
    const problem = cronProblem(value);
    if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
  });

/** Made when one is first looked up: it takes milliseconds, and most programs never do. */
let knownTimeZones: ReadonlySet<string> | undefined;

export const timeZone = text("a time zone of the IANA database, such as Europe/Berlin or UTC", (value) => {
  knownTimeZones ??= new Set([...Intl.supportedValuesOf("timeZone"), "UTC"]);
  return knownTimeZones.has(value);
});

/** EventBridge Scheduler takes windows of 1 to 1440 minutes; 0 is none. */
export const flexibleMinutes = whole("a whole number of minutes from 0 to 1440", 0, 1_440);
export const deadlineMinutes = whole("a whole number of minutes from 1 to 44640", 1, 44_640);
export const checkLevel = choice(["objects", "read-data", "drill"]);

/** Narrower than the standard: what could end a line or an address is out. */
export const emailAddress = text("an e-mail address", (value) =>
  /^[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$/.test(value),
);

/** An address, a domain behind an `@`, or `*`. */
export const mailRoute = text("an e-mail address, @ and a domain, or *", (value) =>
  /^(\*|[A-Za-z0-9._%+-]{0,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+)$/.test(value),
);

export const mailDomain = text("a domain, such as clinic.example", (value) =>
  /^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$/.test(value),
);

/** A bucket that is made. Source: Amazon S3 user guide, "Bucket naming rules"; without dots, which certificates do not cover. */
export const bucketName = text("a bucket's name: 3 to 63 lower-case letters, digits and hyphens", (value) =>
  /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/.test(value),
);

/** Where objects are in a bucket. */
export const keyPrefix = text('names joined by "/" with one at the end, such as inbound/', (value) =>
  /^([A-Za-z0-9_-][A-Za-z0-9._-]{0,63}\/){1,8}$/.test(value),
);

export const keptDays = whole("a whole number of days from 1 to 3650", 1, 3_650);

/** Source: Amazon SES API reference, CreateReceiptRuleSet. */
export const ruleSetName = text("the name of a receipt rule set: letters, digits, hyphens, up to 64", (value) =>
  /^[A-Za-z0-9]([A-Za-z0-9_.-]{0,62}[A-Za-z0-9])?$/.test(value),
);

export const slackChannel = text("a Slack channel's identifier, such as C0123456789", (value) =>
  /^[CGD][A-Z0-9]{8,20}$/.test(value),
);
