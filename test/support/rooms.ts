/** What one room of the project may import. */
export interface Room {
  /** Where its files lie, below the repository's root. */
  readonly directory: string;
  /** Rooms of ours, by the names of their packages. */
  readonly may: readonly string[];
  /** Packages of others that only some rooms know, by the beginning of their names. */
  readonly clouds?: readonly string[];
  /** For the message: what the rule protects. */
  readonly why: string;
}

/** Packages that reach or describe a cloud: every room names those that it may know. */
export const cloudPackages = [
  "@aws-sdk/",
  "@smithy/",
  "@google-cloud/",
  "google-auth-library",
  "@middy/",
  "@aws-lambda-powertools/",
  "aws-cdk-lib",
  "sst",
] as const;

const domain = "a domain decides; programs and adapters import it, never the other way round, and no domain another";
const adapter = "an adapter implements ports of core and of the domains and knows nothing else";

/** Which way imports point. Every room stands here; `test/unit/imports.test.ts` holds the code against it. */
export const rooms: readonly Room[] = [
  { directory: "packages/core/src", may: [], why: "core holds the words that all rooms share" },
  {
    directory: "packages/files/src",
    may: ["core"],
    why: "files knows file systems and programs, not what they are for",
  },
  { directory: "packages/openemr/src", may: ["core", "files"], why: "openemr holds what only OpenEMR knows" },
  {
    directory: "packages/database/src",
    may: ["core", "files", "openemr"],
    why: "database reads and loads schemas and knows no dump, export or rotation",
  },
  { directory: "events", may: ["core"], why: "events holds contracts: words and the schema library alone" },
  { directory: "packages/dumps/src", may: ["core", "files", "openemr", "database"], why: domain },
  { directory: "packages/exports/src", may: ["core", "files", "openemr", "database"], why: domain },
  { directory: "packages/health/src", may: ["core", "openemr"], why: domain },
  { directory: "packages/rotation/src", may: ["core", "files", "openemr", "database"], why: domain },
  { directory: "packages/mail/src", may: ["core", "openemr", "database"], why: domain },
  {
    directory: "packages/report/src",
    may: ["core"],
    why: "a report shows what others read; it knows no store, no record's place and no command line",
  },
  { directory: "packages/jobs/src", may: ["core", "events"], why: domain },
  { directory: "packages/notifications/src", may: ["core", "events"], why: domain },
  {
    directory: "packages/aws/src",
    may: ["core", "events", "notifications"],
    clouds: ["@aws-sdk/", "@smithy/"],
    why: adapter,
  },
  { directory: "packages/gcp/src", may: ["core"], clouds: ["@google-cloud/", "google-auth-library"], why: adapter },
  {
    directory: "functions",
    may: ["core", "events", "dumps", "exports", "health", "rotation", "mail", "jobs", "notifications", "aws", "gcp"],
    clouds: ["@middy/", "@aws-lambda-powertools/"],
    why: "a function puts domains and adapters together; it leans on no program and not on what deploys it",
  },
  {
    directory: "packages/task/src",
    may: [
      "core",
      "events",
      "files",
      "openemr",
      "database",
      "dumps",
      "exports",
      "health",
      "rotation",
      "mail",
      "jobs",
      "notifications",
      "report",
      "aws",
      "gcp",
    ],
    why: "the task program puts domains and adapters together; it leans on neither command line nor estate",
  },
  {
    directory: "packages/cli/src",
    may: ["core", "events", "dumps", "exports", "health", "jobs", "notifications", "report", "aws", "task"],
    why: "the command line is the product; the embedded estate only surrounds it",
  },
  {
    directory: "stacks",
    may: ["core", "events"],
    clouds: ["aws-cdk-lib", "sst"],
    why: "stacks know names, words and contracts; the code of functions and tasks they name by its path",
  },
  {
    directory: "packages/local/src",
    may: ["core", "openemr"],
    why: "the estate plays the outside world; it must not share what is tested against it",
  },
  {
    directory: "packages/local-cloud/src",
    may: ["core", "events", "local", "stacks"],
    why: "the local cloud plays AWS; it must not share the adapters that are tested against it",
  },
];
