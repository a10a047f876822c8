/** A copy of a JSON-like value with one place changed; `undefined` removes it. Places are names and indexes joined by dots. */
export const setAt = (value: unknown, place: string, replacement: unknown): unknown => {
  const copy: unknown = structuredClone(value);
  const names = place.split(".");
  const last = names.pop() ?? "";
  let inner = copy as Record<string, unknown>;
  for (const name of names) inner = inner[name] as Record<string, unknown>;
  if (replacement === undefined) delete inner[last];
  else inner[last] = replacement;
  return copy;
};

export interface BrokenConfig {
  /** What is wrong, in words that follow "when". */
  readonly wrong: string;
  readonly change: (config: unknown) => unknown;
  /** The field that must be named. */
  readonly path: string;
  readonly says: RegExp;
}

const first = "installations.0.";

/** One place changed; the issue names the same place unless `path` says another. */
const at = (place: string, replacement: unknown, says: RegExp, path = place): BrokenConfig => ({
  wrong: `${place} is ${replacement === undefined ? "missing" : JSON.stringify(replacement)}`,
  change: (config) => setAt(config, `${first}${place}`, replacement),
  path: `installations[0].${path}`,
  says,
});

/** Several places changed. */
const all = (wrong: string, changes: Readonly<Record<string, unknown>>, path: string, says: RegExp): BrokenConfig => ({
  wrong,
  change: (config) => Object.entries(changes).reduce((one, [place, value]) => setAt(one, place, value), config),
  path,
  says,
});

const second = (changes: Readonly<Record<string, unknown>>) => (config: unknown) => {
  const { installations } = config as { installations: readonly unknown[] };
  const other = Object.entries(changes).reduce((one, [place, value]) => setAt(one, place, value), installations[0]);
  return { installations: [...installations, other] };
};

const arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:db-AbCdEf";
const mailed = { host: "smtp.example.org", from: "ops@example.org", to: ["it@example.org"] };
const aNetwork = {
  vpcId: "vpc-0123456789abcdef0",
  subnetIds: ["subnet-0123456789abcdef0"],
  securityGroupIds: ["sg-0123456789abcdef0"],
};
const routeTableIds = ["rtb-0123456789abcdef0"];
const recipient = `age1${"q".repeat(58)}`;
const anExport = { destination: "file:///srv/exports/clinic-a" };
const inbound = (changes: Readonly<Record<string, unknown>> = {}) => ({
  inbound: {
    region: "eu-central-1",
    bucket: "clinic-a-mail",
    retentionDays: 30,
    from: "forwarder@clinic.example",
    routes: { "billing@clinic.example": ["office@staff.example"] },
    ...changes,
  },
});
const portable = {
  [`${first}dumps.format`]: "portable",
  [`${first}dumps.passwordFile`]: undefined,
};

/** Database users that are to be made, as they are written. */
const makingUsers = (wrong: string, database: object, restore: object, path: string, says: RegExp): BrokenConfig => {
  const changes = {
    ...Object.fromEntries(Object.entries(database).map(([name, value]) => [`${first}database.${name}`, value])),
    [`${first}users`]: { administrator: `${arn}1` },
    [`${first}database.restore`]: { user: "restore", passwordFile: "repo.password", ...restore },
  };
  return all(wrong, changes, `installations[0].${path}`, says);
};

const anSmtp = {
  iamUser: "ses-smtp-user",
  secret: "smtp.json",
  region: "eu-central-1",
  testMessage: { from: "notifications@example.org", to: "success@simulator.amazonses.com" },
};
const smtpOf = (wrong: string, change: object, path: string, says: RegExp): BrokenConfig =>
  rotating(wrong, { smtp: { ...anSmtp, ...change } }, `rotations.smtp${path === "" ? "" : `.${path}`}`, says);
const smtpServer = (server: object, path: string, says: RegExp): BrokenConfig =>
  smtpOf(`at the server ${JSON.stringify(server)}`, { server }, `server.${path}`, says);

const aRotation = { slots: "slots.json", administrator: { user: "admin", passwordFile: "db.password" } };

/** Credentials that are to be rotated, as they are written. Whole places stand for themselves. */
const rotating = (
  wrong: string,
  written: Readonly<Record<string, unknown>>,
  path: string,
  says: RegExp,
): BrokenConfig => {
  const own = Object.fromEntries(Object.entries(written).filter(([name]) => name.startsWith(first)));
  const rotations = Object.fromEntries(Object.entries(written).filter(([name]) => !name.startsWith(first)));
  const changes = {
    [`${first}health`]: { url: "http://127.0.0.1/", bodyIncludes: "ok" },
    [`${first}rotations`]: rotations,
    ...own,
  };
  return all(`it rotates ${wrong}`, changes, `installations[0].${path}`, says);
};

/** Configurations that must be refused, each with the field that is to be named. */
export const brokenConfigs: readonly BrokenConfig[] = [
  // Absent
  { wrong: "it is empty", change: () => ({}), path: "installations", says: /is missing; expected a list/ },
  { wrong: "it is a list", change: () => [], path: "", says: /expected an object, got a list/ },
  { wrong: "it is null", change: () => null, path: "", says: /expected an object, got null/ },
  {
    wrong: "no installation is in it",
    change: () => ({ installations: [] }),
    path: "installations",
    says: /at least one/,
  },
  at("id", undefined, /is missing; expected 1 to 63 lower-case/),
  at("platform", undefined, /is missing; expected an object such as/),
  at("platform.kind", undefined, /is missing; expected host, ecs, kubernetes or cloudRun/),
  at("database", undefined, /is missing; expected an object/),
  at("database.host", undefined, /is missing; expected a host name/),
  at("database.name", undefined, /is missing; expected a schema's name/),
  at("database.user", undefined, /is missing; expected a user's name/),
  at("database.passwordFile", undefined, /is missing; expected a file that holds the password/),
  at("sites", undefined, /is missing; expected an object/),
  at("sites.path", undefined, /is missing; expected the name of a file or directory/),
  ...["dump", "drill", "check"].map((kind) =>
    all(
      `dumps is missing and schedules.${kind} needs it`,
      { [`${first}dumps`]: undefined, [`${first}schedules`]: { [kind]: { cron: "0 2 * * *" } } },
      "installations[0].dumps",
      new RegExp(`is missing; expected an object.*schedules\\.${kind}`),
    ),
  ),
  at("dumps.destination", undefined, /is missing; expected file:\/\/\/absolute/),
  at("dumps.passwordFile", undefined, /is missing; expected a file that holds the password/),
  at("dumps.retention", undefined, /is missing; expected an object/),
  at(
    "platform",
    { kind: "ecs", service: "openemr" },
    /is missing; expected the name or ARN of an ECS cluster/,
    "platform.cluster",
  ),
  at(
    "platform",
    { kind: "ecs", cluster: "c" },
    /is missing; expected the name or ARN of an ECS service/,
    "platform.service",
  ),
  // Unknown
  at("database.pasword", "x", /unknown setting; did you mean password\?/),
  at("database.caflie", "x", /unknown setting; did you mean caFile\?/),
  at("database.tsl", "off", /unknown setting; did you mean tls\?/),
  at("dumps.retention.keepHourly", 1, /unknown setting; did you mean keepYearly\?$/),
  at("platform.cluster", "c", /unknown setting; known here: kind, codePath/),
  at("sites.__proto__x", 1, /unknown setting/),
  at("schedule", {}, /unknown setting; did you mean schedules/),
  at("post", {}, /unknown setting; known here: id, platform/),
  all("the whole has an unknown name", { verbose: true }, "verbose", /unknown setting; known here: stateDirectory/),
  all("an unknown name has spaces", { "in stallations": [] }, '["in stallations"]', /did you mean installations/),
  // Identifiers
  at("id", "Clinic-A", /expected 1 to 63 lower-case letters/),
  at("id", "../clinic", /expected 1 to 63 lower-case letters/),
  at("id", "a/b", /expected 1 to 63 lower-case letters/),
  at("id", "-a", /expected 1 to 63 lower-case letters/),
  at("id", "a\n", /expected 1 to 63 lower-case letters.*got "a\\n"/),
  at("id", "", /expected 1 to 63 lower-case letters/),
  at("id", "a".repeat(64), /expected 1 to 63 lower-case letters/),
  at("id", 7, /expected 1 to 63 lower-case letters, digits and hyphens, a letter or digit first, got 7/),
  {
    wrong: "two installations have one id",
    change: second({ "dumps.destination": "file:///srv/b" }),
    path: "installations[1].id",
    says: /is taken by installations\[0\]/,
  },
  // Platform and address
  at("platform", "host", /expected an object such as .*, got "host"/),
  at("platform.kind", "vm", /expected host, ecs, kubernetes or cloudRun, got "vm"/),
  at("platform.codePath", "a\0b", /expected the name of a file/),
  at("platform", { kind: "ecs", cluster: "a b", service: "s" }, /ECS cluster, got "a b"/, "platform.cluster"),
  at("url", "openemr.example.org", /expected an http:\/\/ or https:\/\/ address/),
  at("url", "ftp://openemr.example.org", /expected an http:\/\/ or https:\/\/ address/),
  at("url", "https://a:b@openemr.example.org", /without user, password or query$/),
  at("url", "https://openemr.example.org/?site=default", /expected an http:\/\//),
  ...[
    ["vpcId", "vpc-1", /identifier of a VPC, such as vpc-/],
    ["vpcId", undefined, /is missing; expected the identifier of a VPC/],
    ["subnetIds", [], /expected a list of subnets' identifiers, one at least/],
    ["subnetIds", "subnet-0123456789abcdef0", /expected a list of subnets' identifiers/],
    ["endpoints", true, /expected an object, got true/],
    ["endpoints", {}, /asks for nothing; expected gateway or interface/],
    [
      "endpoints",
      { routeTableIds, gateway: { routeTableIds } },
      /say gateway and interface, or routeTableIds alone/,
      ".routeTableIds",
    ],
    ["endpoints", { interface: {} }, /is missing; expected a list of the VPC's address ranges/, ".interface.vpcCidrs"],
    [
      "endpoints",
      { interface: { vpcCidrs: ["0.0.0.0/0"] } },
      /expected an IPv4 range of a VPC, such as 10.0.0.0\/16/,
      ".interface.vpcCidrs[0]",
    ],
    [
      "endpoints",
      { interface: { vpcCidrs: ["10.0.0.300/16"] } },
      /expected an IPv4 range of a VPC/,
      ".interface.vpcCidrs[0]",
    ],
    ["securityGroupIds", undefined, /is missing; expected a list of security groups' identifiers/],
  ].map(([name, value, says, below = ""]) =>
    at(
      "platform",
      { kind: "ecs", cluster: "c", service: "s", network: setAt(aNetwork, name as string, value) },
      says as RegExp,
      `platform.network.${name}${below}`,
    ),
  ),
  at("sites.fileSystemId", "efs", /identifier of an EFS file system, such as fs-/),
  at("sites.accessPointId", "fsap-0123456789abcdef0", /is missing; an access point is one of/, "sites.fileSystemId"),
  // Schedules
  at("schedules", [], /expected an object, got a list/),
  at("schedules", { rotation: {} }, /unknown setting; known here: dump, drill, check/, "schedules.rotation"),
  ...[
    ["cron", undefined, /is missing; expected five fields of cron/],
    ["cron", "0 2 * *", /expected five fields of cron/],
    ["cron", "0 25 * * *", /values in range/],
    ["cron", "0 2 1 * MON", /both a day of the month and a day of the week/],
    ["cron", "0 2 30 2 *", /never comes/],
    ["cron", "rate(1 day)", /expected five fields of cron/],
    ["cron", "@daily", /expected five fields of cron/],
    ["timeZone", "Berlin", /time zone of the IANA database/],
    ["flexibleMinutes", -1, /from 0 to 1440/],
    ["deadlineMinutes", 0, /from 1 to 44640/],
    ["hours", 1, /unknown setting/],
  ].map(([name, value, says]) =>
    at(
      "schedules",
      { dump: setAt({ cron: "0 2 * * *" }, name as string, value) },
      says as RegExp,
      `schedules.dump.${name}`,
    ),
  ),
  at(
    "schedules",
    { check: { cron: "0 2 * * *", level: "all" } },
    /objects, read-data or drill/,
    "schedules.check.level",
  ),
  // Notifications
  ...(
    [
      [{}, "webhook", /expected env:NAME or a secret's ARN here, or botToken and channel/],
      [
        { webhook: "https://hooks.slack.com/services/canary" },
        "webhook",
        /put the address itself into a file .* webhookFile$/,
      ],
      [{ webhookFile: "https://hooks.slack.com/services/canary" }, "webhookFile", /^names no file; put the address/],
      [{ webhook: arn, webhookFile: "slack" }, "webhook", /webhook or webhookFile/],
      [
        { botToken: "xoxb-canary", channel: "C0123456789" },
        "botToken",
        /put the token itself into a file .* botTokenFile$/,
      ],
      [{ botToken: arn }, "channel", /is missing; a bot posts to a channel's identifier/],
      [{ webhook: arn, channel: "C0123456789" }, "channel", /is for a botToken/],
      [{ webhook: arn, botToken: arn, channel: "C0123456789" }, "webhook", /not both/],
      [{ botToken: arn, channel: "#alerts" }, "channel", /such as C0123456789/],
    ] as const
  ).map(([slack, name, says]) =>
    all(
      `notifications.slack is ${Object.keys(slack)}: ${says}`,
      { notifications: { slack } },
      `notifications.slack.${name}`,
      says,
    ),
  ),
  ...(
    [
      [{ email: {} }, "email.host", /expected a host name/],
      [{ email: { ...mailed, to: [] } }, "email.to", /one at least/],
      [{ email: { ...mailed, from: "Ops" } }, "email.from", /expected an e-mail address/],
      [{ email: { ...mailed, tls: "ssl" } }, "email.tls", /starttls, implicit or none/],
      [{ email: { ...mailed, user: "ops" } }, "email.passwordFile", /file that holds the password/],
      [{ email: { ...mailed, passwordFile: "canary" } }, "email.user", /whose password it is/],
      [{ email: { ...mailed, user: "ops", passwordFile: "x", tls: "none" } }, "email.tls", /unencrypted/],
      [{ email: { ...mailed, on: ["always"] } }, "email.on[0]", /start, success, failure or recovery/],
      [{ email: { ...mailed, kinds: ["backup"] } }, "email.kinds[0]", /expected dump, drill/],
      [{ email: { ...mailed, installations: ["clinic-z"] } }, "email.installations[0]", /expected clinic-a/],
      [{ ping: [] }, "ping", /one at least/],
      [{ ping: [{}] }, "ping[0].urlFile", /is missing/],
      [{ ping: [{ url: "https://hc-ping.com/canary" }] }, "ping[0].url", /put the address itself into a file/],
      [{ ping: [{ urlFile: "https://hc-ping.com/canary" }] }, "ping[0].urlFile", /^names no file/],
      [{ ping: [{ urlFile: "a", successUrlFile: "b" }] }, "ping[0].url", /not both/],
      [{ ping: [{ urlFile: "a", on: ["recovery"] }] }, "ping[0].on[0]", /start, success or failure/],
      [{ command: { run: "mail it" } }, "command.run", /a program and its arguments/],
      [{ command: { run: ["true"], limitSeconds: 0 } }, "command.limitSeconds", /from 1 to 86400/],
    ] as const
  ).map(([notifications, name, says]) =>
    all(`notifications are ${JSON.stringify(notifications)}`, { notifications }, `notifications.${name}`, says),
  ),
  // Hooks
  all(
    "hooks are for workflows",
    {
      [`${first}platform`]: { kind: "ecs", cluster: "c", service: "s" },
      [`${first}hooks`]: { dump: { after: { run: ["true"] } } },
    },
    "installations[0].hooks",
    /on ecs workflows run the jobs, and run no hooks/,
  ),
  at("hooks", { backup: {} }, /unknown setting; known here: dump/, "hooks.backup"),
  at("hooks", { dump: { before: ["true"] } }, /expected an object/, "hooks.dump.before"),
  at("hooks", { dump: { before: { run: [] } } }, /a program and its arguments/, "hooks.dump.before.run"),
  // Database
  at("database.host", "db server", /expected a host name.*got "db server"/),
  at("database.host", "db:3306", /without port/),
  at("database.host", "--defaults-file=x", /expected a host name/),
  at("database.host", "", /expected a host name/),
  at("database.host", "/run/mysqld.sock", /without port, spaces or slashes/),
  at("database.port", "3306", /expected a whole number from 1 to 65535, got "3306"/),
  at("database.port", 0, /from 1 to 65535, got 0/),
  at("database.port", 65_536, /from 1 to 65535, got 65536/),
  at("database.port", 3306.5, /from 1 to 65535, got 3306.5/),
  at("database.name", "open`emr", /without slashes, backticks/),
  at("database.name", "open\nemr", /control characters.*got "open\\nemr"/),
  at("database.name", "../mysql", /without slashes/),
  at("database.name", "-uroot", /a hyphen first/),
  at("database.name", "mysql", /not one of the server's own, got "mysql"/),
  at("database.name", "x".repeat(65), /1 to 64 characters/),
  at("database.user", "", /expected a user's name/),
  at("database.user", "dump\nroot", /without control characters/),
  at("database.user", null, /expected a user's name of 1 to 128 characters, without control characters, got null/),
  at("database.tls", "on", /expected off, required or verify, got "on"/),
  at("database.tls", true, /expected off, required or verify, got true/),
  at("database.caFile", "ca.pem", /has no use with tls "off"/),
  all(
    "the certificate file is absent",
    { [`${first}database.tls`]: "verify", [`${first}database.caFile`]: "ca.pem" },
    "installations[0].database.caFile",
    /the file does not exist \(relative names start at /,
  ),
  all(
    "the certificate file holds none",
    { [`${first}database.tls`]: "verify", [`${first}database.caFile`]: "db.password" },
    "installations[0].database.caFile",
    /holds no certificate in PEM form/,
  ),
  at("database.restore", { user: "admin" }, /is missing; expected a file that holds/, "database.restore.passwordFile"),
  at(
    "database.restore",
    { passwordFile: "db.password" },
    /is missing; expected a user's name/,
    "database.restore.user",
  ),
  // Secrets
  at("database.password", "env:DB", /say either password or passwordFile, not both/),
  all(
    "a password is in the configuration",
    { [`${first}database.password`]: "hunter2", [`${first}database.passwordFile`]: undefined },
    "installations[0].database.password",
    /put the password itself into a file and name it in passwordFile$/,
  ),
  all(
    "an ARN is of another service",
    { [`${first}database.password`]: "arn:aws:s3:::bucket", [`${first}database.passwordFile`]: undefined },
    "installations[0].database.password",
    /neither env:NAME nor a secret's ARN/,
  ),
  at("database.passwordFile", "env:1NAME", /expected a file that holds the password, env:NAME or a secret's ARN$/),
  at("database.passwordFile", `${arn.slice(0, 40)}`, /expected a file that holds the password/),
  at("database.passwordFile", "absent", /the password file does not exist/),
  at("database.passwordFile", "db.password/x", /a part of its path is not a directory/),
  at("database.passwordFile", "directory", /the password file is a directory/),
  at("database.passwordFile", "/dev/null", /the password file is not a regular file/),
  at("database.passwordFile", "db.\npassword", /expected a file that holds the password/),
  at("database.passwordFile", 42, /expected a file that holds the password, env:NAME or a secret's ARN$/),
  at("database.passwordFile", "", /expected a file that holds the password/),
  // Sites
  at("sites.path", "", /expected the name of a file or directory/),
  at("sites.path", "/", /is the root directory/),
  at("sites.path", "/srv/backups", /sites\.path lie in one another/, "dumps.destination"),
  at("sites.path", "/srv/backups/clinic-a/x", /sites\.path lie in one another/, "dumps.destination"),
  all(
    "the state directory lies in the sites",
    { stateDirectory: "/srv/openemr/sites/.ops" },
    "stateDirectory",
    /lies inside installations\[0\]\.sites\.path/,
  ),
  // Exports
  at("mail", {}, /is missing; expected an object/, "mail.inbound"),
  at("mail", inbound({ region: "europe" }), /expected a region of AWS/, "mail.inbound.region"),
  at("mail", inbound({ bucket: "Mail" }), /expected a bucket's name/, "mail.inbound.bucket"),
  at("mail", inbound({ prefix: "inbound" }), /expected names joined by/, "mail.inbound.prefix"),
  at("mail", inbound({ prefix: "../" }), /expected names joined by/, "mail.inbound.prefix"),
  at("mail", inbound({ retentionDays: 0 }), /expected a whole number of days/, "mail.inbound.retentionDays"),
  at("mail", inbound({ retentionDays: undefined }), /is missing; expected a whole/, "mail.inbound.retentionDays"),
  at("mail", inbound({ from: "x@else.example" }), /is in no domain that is received here/, "mail.inbound.from"),
  at("mail", inbound({ ruleSet: "-x" }), /expected the name of a receipt rule set/, "mail.inbound.ruleSet"),
  at("mail", inbound({ routes: {} }), /names no address and no domain/, "mail.inbound.routes"),
  at(
    "mail",
    inbound({ routes: { "*": ["office@staff.example"] } }),
    /names no address and no domain/,
    "mail.inbound.routes",
  ),
  at("mail", inbound({ routes: { "@clinic.example": [] } }), /one at least/, 'mail.inbound.routes["@clinic.example"]'),
  at(
    "mail",
    inbound({ routes: { "@clinic.example": ["a@staff.example", "b@CLINIC.example"] } }),
    /is received here; the mail would come back/,
    'mail.inbound.routes["@clinic.example"][1]',
  ),
  at(
    "mail",
    inbound({ routes: { "@clinic.example": ["a@b.example"], "@Clinic.example": ["a@b.example"] } }),
    /is the same address as @clinic.example/,
    'mail.inbound.routes["@Clinic.example"]',
  ),
  all(
    "mail is received in a region where no data may be",
    { [`${first}residency`]: { awsRegions: ["eu-west-1"] }, [`${first}mail`]: inbound() },
    "installations[0].mail.inbound.region",
    /is not in residency.awsRegions/,
  ),
  {
    wrong: "two installations receive the same mail, one a domain and one an address of it",
    change: (config) =>
      second({
        id: "clinic-b",
        "dumps.destination": "file:///srv/backups/clinic-b",
        mail: inbound({ bucket: "clinic-b-mail", routes: { "@Clinic.example": ["b@staff.example"] } }),
      })(setAt(config, `${first}mail`, inbound())),
    path: "installations[1].mail.inbound.routes",
    says: /receives for billing@clinic.example, as installations\[0\] does/,
  },
  {
    wrong: "two installations keep their mail in one archive",
    change: (config) =>
      second({
        id: "clinic-b",
        "dumps.destination": "file:///srv/backups/clinic-b",
        mail: inbound({ from: "x@other.example", routes: { "@other.example": ["b@staff.example"] } }),
      })(setAt(config, `${first}mail`, inbound())),
    path: "installations[1].mail.inbound.bucket",
    says: /is also the archive of installations\[0\]/,
  },
  at("exports", {}, /is missing; expected file:/, "exports.destination"),
  at("exports", { destination: "ftp://host/x" }, /is no place that this program writes to/, "exports.destination"),
  at("exports", { ...anExport, retention: { keepLast: 1 } }, /unknown setting; known here: dest/, "exports.retention"),
  at("exports", { ...anExport, region: "eu-central-1" }, /that start with s3:/, "exports.region"),
  at("exports", { ...anExport, credentials: "env:KEYS" }, /that start with s3:\/\/ or gs:/, "exports.credentials"),
  at("exports", { ...anExport, sites: { deletions: "keep" } }, /expected record or mirror/, "exports.sites.deletions"),
  at("exports", { ...anExport, sites: { documents: "clear" } }, /as-stored or decrypted/, "exports.sites.documents"),
  at("exports", { ...anExport, database: { engine: "spark" } }, /expected direct or aurora/, "exports.database.engine"),
  at("exports", { ...anExport, database: { reader: {} } }, /expected a host name/, "exports.database.reader.host"),
  at(
    "exports",
    { ...anExport, database: { profile: "anonymous" } },
    /expected full or deidentified/,
    "exports.database.profile",
  ),
  at(
    "exports",
    { ...anExport, database: { profile: "deidentified" } },
    /is missing; the profile "deidentified" makes pseudonyms with this key/,
    "exports.pseudonymKeyFile",
  ),
  at(
    "exports",
    { ...anExport, pseudonymKey: "env:KEY", pseudonymKeyFile: "db.password" },
    /say either pseudonymKey or pseudonymKeyFile/,
    "exports.pseudonymKey",
  ),
  at(
    "exports",
    { ...anExport, pseudonymKeyFile: "db.password" },
    /is shorter than 32 characters; openssl rand -hex 32 makes one/,
    "exports.pseudonymKeyFile",
  ),
  at(
    "exports",
    { ...anExport, pseudonymKey: "canary-of-a-key" },
    /holds neither env:NAME nor a secret's ARN/,
    "exports.pseudonymKey",
  ),
  ...["file:///srv/backups/clinic-a", "file:///srv/backups/clinic-a/exports", "file:///srv/backups"].map(
    (destination) =>
      at(
        "exports",
        { destination },
        /is the same place as that of installations\[0\], or one lies inside/,
        "exports.destination",
      ),
  ),
  all(
    "a copy lies inside the exports",
    {
      [`${first}exports`]: anExport,
      [`${first}dumps.copies`]: [{ destination: `${anExport.destination}/copies` }],
    },
    "installations[0].dumps.copies[0].destination",
    /is the same place as that of installations\[0\]\.exports, or one lies inside/,
  ),
  {
    wrong: "two installations have one place for exports",
    change: (config) =>
      second({ id: "clinic-b", "dumps.destination": "file:///srv/b" })(setAt(config, `${first}exports`, anExport)),
    path: "installations[1].exports.destination",
    says: /is the same place as that of installations\[0\]\.exports/,
  },
  at(
    "exports",
    { destination: "file:///srv/openemr/sites/exports" },
    /lie in one another; an export would contain itself/,
    "exports.destination",
  ),
  at(
    "exports",
    { ...anExport, database: { engine: "aurora" } },
    /is "aurora", an export that AWS makes of its own cluster, and the platform is host; expected "direct"/,
    "exports.database.engine",
  ),
  all(
    "AWS is to export to a server of others",
    {
      [`${first}platform`]: { kind: "ecs", cluster: "c", service: "s" },
      [`${first}exports`]: {
        destination: "s3://bucket/x",
        endpoint: "https://s3.example.org",
        database: { engine: "aurora" },
      },
    },
    "installations[0].exports.destination",
    /is no bucket of AWS/,
  ),
  all(
    "a task of AWS that sees files alone is to decrypt documents",
    {
      [`${first}platform`]: { kind: "ecs", cluster: "c", service: "s" },
      [`${first}exports`]: { destination: "s3://bucket/x", sites: { documents: "decrypted" } },
    },
    "installations[0].exports.sites.documents",
    /on AWS the task that exports files reads no database: expected "as-stored"/,
  ),
  all(
    "AWS is to leave out columns",
    {
      [`${first}platform`]: { kind: "ecs", cluster: "c", service: "s" },
      [`${first}exports`]: {
        destination: "s3://bucket/x",
        database: { engine: "aurora", profile: "deidentified" },
        pseudonymKey: `${arn}2`,
      },
    },
    "installations[0].exports.database.profile",
    /AWS's own export leaves out no columns; expected engine "direct"/,
  ),
  all(
    "exports are missing and a schedule needs them",
    { [`${first}schedules`]: { exportDatabase: { cron: "0 2 * * *" } } },
    "installations[0].exports",
    /is missing; expected an object, for schedules\.exportDatabase/,
  ),
  // Destinations
  at("dumps.destination", "/srv/backups", /is no place that this program writes to; expected file:/),
  at("dumps.destination", "file://srv/backups", /is not absolute: three slashes/),
  at("dumps.destination", "file:///", /is the root directory/),
  at("dumps.destination", "file:///srv/../etc", /has a "\." or "\.\." part/),
  at("dumps.destination", "file:///srv/%2e%2e/etc", /has a "\." or "\.\." part/),
  at("dumps.destination", "file:///srv//backups", /has an empty part/),
  at("dumps.destination", "file:///srv/a%2Fb", /has a slash, backslash or control character/),
  at("dumps.destination", "file:///srv/100%", /has a % that is not followed/),
  at("dumps.destination", "file:///srv/a?b", /has a \? or #/),
  at("dumps.destination", "ftp://host/x", /is no place that this program writes to/),
  at("dumps.destination", "s3://", /lacks the bucket's name/),
  at("dumps.destination", "s3://Bucket/x", /names the bucket "Bucket"; expected 3 to 63/),
  at("dumps.destination", "s3://ab", /names the bucket "ab"/),
  at("dumps.destination", "s3://a..b/x", /names the bucket/),
  at("dumps.destination", "s3://192.168.0.1/x", /looks like an IP address/),
  at("dumps.destination", "s3://bucket//x", /has an empty part/),
  at("dumps.destination", "s3://bucket/a/../b", /has a "\." or "\.\." part/),
  at("dumps.destination", "s3://bucket/a b", /has a prefix with other characters/),
  at("dumps.destination", "s3://key:secret@bucket/x", /has credentials in it/),
  at("dumps.destination", `s3://bucket/${"x".repeat(513)}`, /more than 512 characters/),
  at("dumps.destination", "gs://google-dumps", /"google" in it/),
  at("dumps.destination", 5, /expected file:.*got 5/),
  at("residency", {}, /allows no place; set at least one of awsRegions/),
  at("residency", { awsRegions: ["Frankfurt"] }, /expected a region of AWS/, "residency.awsRegions[0]"),
  at("residency", { gcsLocations: [] }, /expected a list of locations/, "residency.gcsLocations"),
  at("residency", { endpoints: ["s3.example.org"] }, /expected an http/, "residency.endpoints[0]"),
  at("dumps.credentials", "env:KEYS", /is for destinations that start with s3:\/\/ or gs:/),
  all(
    "the store's keys are written into the configuration",
    { [`${first}dumps.destination`]: "s3://bucket", [`${first}dumps.credentials`]: '{"accessKeyId":"canary"}' },
    "installations[0].dumps.credentials",
    /^expected a file that holds the store's credentials, env:NAME or a secret's ARN$/,
  ),
  all(
    "only retention has credentials",
    { [`${first}dumps.destination`]: "s3://bucket", [`${first}dumps.retentionCredentials`]: "env:KEYS" },
    "installations[0].dumps.credentials",
    /is missing; retentionCredentials are for retention alone/,
  ),
  at("dumps.immutability", { days: 30 }, /is for destinations that start with s3:\/\/ or gs:/),
  all(
    "a bucket is locked for no time",
    { [`${first}dumps.destination`]: "s3://bucket", [`${first}dumps.immutability`]: { days: 0 } },
    "installations[0].dumps.immutability.days",
    /expected a whole number of days from 1 to 36500/,
  ),
  all(
    "a bucket of Google has a mode of S3",
    { [`${first}dumps.destination`]: "gs://bucket", [`${first}dumps.immutability`]: { days: 1, mode: "compliance" } },
    "installations[0].dumps.immutability.mode",
    /is for destinations that start with s3:/,
  ),
  at("dumps.copies", { destination: "file:///srv/copies" }, /expected a list of copies/),
  at("dumps.copies", [{}], /is missing; expected file:/, "dumps.copies[0].destination"),
  at("dumps.copies", [{ destination: "file:///srv/backups/clinic-a" }], /same place/, "dumps.copies[0].destination"),
  at("dumps.copies", [{ destination: "file:///srv/openemr" }], /would contain itself/, "dumps.copies[0].destination"),
  at(
    "dumps.copies",
    [{ destination: "file:///srv/copies" }, { destination: "file:///srv/copies/second" }],
    /the same place as that of installations\[0\]\.dumps\.copies\[0\], or one lies inside the other/,
    "dumps.copies[1].destination",
  ),
  at(
    "dumps.copies",
    ["a", "b", "c", "d"].map((name) => ({ destination: `file:///srv/${name}` })),
    /expected 3 copies at most/,
  ),
  at(
    "dumps.copies",
    [{ destination: "file:///srv/copies", region: "eu-central-1" }],
    /is for destinations that start with s3:/,
    "dumps.copies[0].region",
  ),
  at(
    "dumps.copies",
    [{ destination: "file:///srv/copies", retention: {} }],
    /keeps nothing/,
    "dumps.copies[0].retention",
  ),
  at(
    "dumps.copies",
    [{ destination: "file:///srv/copies", password: "env:A", passwordFile: "repo.password" }],
    /say either password or passwordFile/,
    "dumps.copies[0].password",
  ),
  at(
    "dumps.copies",
    [{ destination: "file:///srv/copies", passwordFile: "absent.password" }],
    /the password file does not exist|absent|no such/i,
    "dumps.copies[0].passwordFile",
  ),
  all(
    "a copy of portable dumps has a repository's password",
    { ...portable, [`${first}dumps.copies`]: [{ destination: "file:///srv/copies", password: "env:A" }] },
    "installations[0].dumps.copies[0].password",
    /is for format "restic"/,
  ),
  at("dumps.endpoint", "http://127.0.0.1:9000", /is for destinations that start with s3:/),
  at("dumps.region", "eu-central-1", /is for destinations that start with s3:/),
  at("dumps.pathStyle", "yes", /expected true or false, got "yes"/),
  all(
    "an endpoint has a path",
    { [`${first}dumps.destination`]: "s3://bucket", [`${first}dumps.endpoint`]: "https://s3.example.org/x" },
    "installations[0].dumps.endpoint",
    /a server's address without a path/,
  ),
  all(
    "a region of AWS is misspelled",
    { [`${first}dumps.destination`]: "s3://bucket", [`${first}dumps.region`]: "frankfurt" },
    "installations[0].dumps.region",
    /expected a region of AWS/,
  ),
  all(
    "a region has spaces",
    { [`${first}dumps.destination`]: "s3://bucket", [`${first}dumps.region`]: "eu central" },
    "installations[0].dumps.region",
    /expected a region/,
  ),
  {
    wrong: "two installations have one destination",
    change: second({ id: "b" }),
    path: "installations[1].dumps.destination",
    says: /is the same place as that of installations\[0\]/,
  },
  {
    wrong: "one destination lies in another",
    change: second({ id: "b", "dumps.destination": "file:///srv/backups/clinic-a/b" }),
    path: "installations[1].dumps.destination",
    says: /one lies inside the other/,
  },
  // Formats
  at("dumps.format", "zip", /expected restic or portable, got "zip"/),
  at("dumps.compression", "zstd", /is for format "portable"/),
  at("dumps.ageRecipients", [], /is for format "portable"/),
  at("dumps.ageIdentityFile", "id", /is for format "portable"/),
  at("dumps.sealKeyFile", "env:SEAL", /is for format "portable"/),
  at("dumps.format", "portable", /is for format "restic"/, "dumps.passwordFile"),
  all(
    "the key that seals is too short",
    { ...portable, [`${first}dumps.sealKeyFile`]: "db.password" },
    "installations[0].dumps.sealKeyFile",
    /is shorter than 32 characters; openssl rand -hex 32 makes one$/,
  ),
  all(
    "the key that seals is absent",
    { ...portable, [`${first}dumps.sealKeyFile`]: "absent" },
    "installations[0].dumps.sealKeyFile",
    /the password file does not exist/,
  ),
  all(
    "a portable dump has an unknown compression",
    { ...portable, [`${first}dumps.compression`]: "xz" },
    "installations[0].dumps.compression",
    /expected gzip or zstd, got "xz"/,
  ),
  all(
    "an age recipient is cut short",
    { ...portable, [`${first}dumps.ageRecipients`]: [recipient, recipient.slice(1)] },
    "installations[0].dumps.ageRecipients[1]",
    /expected an age recipient: age1 and 58 characters$/,
  ),
  all(
    "an age identity stands for a recipient",
    { ...portable, [`${first}dumps.ageRecipients`]: ["AGE-SECRET-KEY-1QQ"] },
    "installations[0].dumps.ageRecipients[0]",
    /is a private age identity/,
  ),
  all(
    "the age identity's file is absent",
    { ...portable, [`${first}dumps.ageIdentityFile`]: "id" },
    "installations[0].dumps.ageIdentityFile",
    /the file does not exist/,
  ),
  // Retention and the rest
  at("dumps.retention", {}, /keeps nothing/),
  at("dumps.retention", { keepDaily: 0 }, /keeps nothing/),
  at("dumps.retention.keepDaily", -1, /expected a whole number, 0 or more, got -1/),
  at("dumps.retention.keepDaily", "7", /expected a whole number, 0 or more, got "7"/),
  at("dumps.retention.keepDaily", 1.5, /expected a whole number, 0 or more, got 1.5/),
  at("dumps.retention", 7, /expected an object, got 7/),
  at("dumps.stallSeconds", 0, /expected a whole number of seconds from 1 to 86400, got 0/),
  at("dumps.drill", { database: { host: "h" } }, /is missing; expected a user's name/, "dumps.drill.database.user"),
  at("dumps.drill", { database: "theirs" }, /expected "own", or an object/, "dumps.drill.database"),
  at(
    "dumps.drill",
    { database: { usr: "u", passwordFile: "db.password" } },
    /did you mean user/,
    "dumps.drill.database.usr",
  ),
  at("dumps.drill", { directory: 1 }, /expected the name of a file or directory, got 1/, "dumps.drill.directory"),
  all(
    "the state directory is a number",
    { stateDirectory: 1 },
    "stateDirectory",
    /expected the name of a file or directory, got 1/,
  ),

  // Health
  at("health", {}, /expected an http:\/\/ or https:\/\/ address/, "health.url"),
  at("health", { url: "https://user:canary@openemr.example.org/" }, /without user, password or query/, "health.url"),
  at("health", { url: "https://a/", bodyIncludes: "" }, /1 to 1000 characters/, "health.bodyIncludes"),
  at("health", { url: "https://a/", tls: "off" }, /expected required or verify/, "health.tls"),
  at("health", { url: "http://a/", tls: "verify" }, /for an address that starts with https/, "health.tls"),
  at(
    "health",
    { url: "https://a/", tls: "required", caFile: "directory" },
    /has no use with tls "required"/,
    "health.caFile",
  ),
  at("health", { url: "https://a/", caFile: "absent.pem" }, /does not exist/, "health.caFile"),
  at("schedules", { health: { cron: "0 * * * *" } }, /schedules\.health needs it/, "health"),

  // Database users
  at("users", {}, /expected a file that holds the login of the database's administrator/, "users.administrator"),
  at("users", { administrator: '{"password":"canary"}' }, /expected a file that holds/, "users.administrator"),
  at("users", { administrator: "db.password" }, /"username" and "password"/, "users.administrator"),
  at("users", { administrator: arn }, /is missing; users makes a user of its own for restores/, "database.restore"),
  makingUsers("the same user twice", {}, { user: "dump" }, "database.restore.user", /is also who takes dumps/),
  makingUsers(
    "one secret for both users",
    { password: arn, passwordFile: undefined },
    { password: arn, passwordFile: undefined },
    "database.restore.password",
    /is also the secret of who takes dumps/,
  ),
  makingUsers(
    "the administrator's secret for a user",
    {},
    { password: `${arn}1`, passwordFile: undefined },
    "database.restore.password",
    /is the administrator's secret/,
  ),
  at("schedules", { users: { cron: "0 * * * *" } }, /unknown setting/, "schedules.users"),

  // Rotations
  rotating("nothing", {}, "rotations", /asks for nothing; expected database, admin, master, smtp or redeploy/),
  rotating(
    "a slot's text as its place",
    { slots: '{"A":{"password":"canary"}}' },
    "rotations.slots",
    /unknown setting/,
  ),
  rotating(
    "the text of the slots in place of their file",
    { database: { ...aRotation, slots: '{"A":{"password":"canary"}}' } },
    "rotations.database.slots",
    /names neither a file/,
  ),
  rotating(
    "slots in a variable, which no job can write",
    { database: { ...aRotation, slots: "env:SLOTS" } },
    "rotations.database.slots",
    /names neither a file/,
  ),
  rotating(
    "slots in one field of a secret",
    { database: { ...aRotation, slots: `${arn}#slots` } },
    "rotations.database.slots",
    /names neither a file/,
  ),
  rotating(
    "slots in a directory that is not there",
    { database: { ...aRotation, slots: "absent/slots.json" } },
    "rotations.database.slots",
    /does not exist/,
  ),
  rotating(
    "slots below the sites directory",
    { database: { ...aRotation, slots: "directory/slots.json" }, [`${first}sites.path`]: "directory" },
    "rotations.database.slots",
    /lies inside installations\[0\]\.sites\.path/,
  ),
  rotating(
    "a file with a password as the administrator's login",
    { database: { ...aRotation, administrator: "db.password" } },
    "rotations.database.administrator",
    /"username" and "password"/,
  ),
  rotating(
    "an administrator without a password",
    { database: { ...aRotation, administrator: { user: "admin" } } },
    "rotations.database.administrator.passwordFile",
    /expected a file that holds the password/,
  ),
  rotating(
    "a database user who is rotated unseen",
    { database: aRotation, [`${first}health`]: undefined },
    "health",
    /is missing; a rotation of the database user is proven by it/,
  ),
  rotating("no administrator to rotate", { master: {} }, "rotations.database", /is missing; master replaces/),
  rotating(
    "one secret for two credentials",
    { database: aRotation, admin: { secret: "slots.json", user: "admin" } },
    "rotations.admin.secret",
    /is also the secret of other credentials/,
  ),
  smtpOf("a user with a space", { iamUser: "ses smtp" }, "iamUser", /expected the name of an IAM user/),
  smtpOf("no IAM user", { iamUser: undefined }, "iamUser", /is missing; expected the name of an IAM user/),
  smtpOf("the SMTP password itself", { secret: '{"password":"canary"}' }, "secret", /names neither a file/),
  smtpOf("an SMTP login in a variable", { secret: "env:SMTP" }, "secret", /names neither a file/),
  smtpOf("a place that is no region", { region: "Frankfurt" }, "region", /expected a region of AWS, such as/),
  smtpOf("a region twice", { otherRegions: ["us-east-1", "eu-central-1"] }, "otherRegions[1]", /is named twice/),
  smtpOf("no other region", { otherRegions: [] }, "otherRegions", /expected a list of regions of AWS, one at least/),
  smtpOf("without a test message", { testMessage: undefined }, "testMessage", /is missing; expected an object/),
  smtpOf(
    "a test message to two lines",
    { testMessage: { ...anSmtp.testMessage, to: "a@example.org\nBcc: b@example.org" } },
    "testMessage.to",
    /expected an e-mail address/,
  ),
  smtpOf("a day to settle", { settleSeconds: 86_400 }, "settleSeconds", /whole number of seconds from 0 to 3600/),
  smtpOf("half a minute", { soakMinutes: 0.5 }, "soakMinutes", /whole number of minutes from 0 to 10080/),
  smtpOf("a year of soak", { soakMinutes: 525_600 }, "soakMinutes", /whole number of minutes from 0 to 10080/),
  ...[{}, { deadlineMinutes: 10_080 }].map((deadline) =>
    rotating(
      `an SMTP login that is overdue before its soak ends (${JSON.stringify(deadline)})`,
      {
        smtp: { ...anSmtp, soakMinutes: 10_080 },
        [`${first}schedules`]: { rotateSmtp: { cron: "0 3 1 * *", ...deadline } },
      },
      "schedules.rotateSmtp.deadlineMinutes",
      /not longer than the 10080 minutes of rotations.smtp.soakMinutes/,
    ),
  ),
  smtpOf("AWS's own parameter", { inStep: { userParameter: "/aws/x" } }, "inStep.userParameter", /expected the name/),
  smtpOf(
    "one secret for password and key",
    { inStep: { secretAccessKey: "smtp.json" } },
    "inStep.secretAccessKey",
    /is also the secret of other credentials/,
  ),
  smtpServer({ host: "smtp.example.org", port: 465, tls: "starttls" }, "tls", /has to be implicit on port 465/),
  smtpServer({ host: "127.0.0.1", port: 2587, tls: "implicit" }, "tls", /has to be starttls on port 2587/),
  smtpServer({ host: "smtp.example.org", port: 1025 }, "port", /is no port of SMTP with TLS; expected 587/),
  smtpServer({ host: "smtp.example.org", tls: "off" }, "tls", /expected starttls or implicit/),
  smtpServer({ host: "smtp.example.org", caFile: "absent.pem" }, "caFile", /does not exist/),
  smtpServer({ host: "smtp.example.org", caFile: "db.password" }, "caFile", /no certificate in PEM form/),
  smtpServer({ host: "email-smtp.us-east-1.amazonaws.com" }, "host", /is in another region than eu-central-1/),
  at("schedules", { rotateSmtp: { cron: "0 * * * *" } }, /schedules\.rotateSmtp needs it/, "rotations"),
  rotating(
    "nothing of SMTP, which is scheduled",
    { redeploy: { command: ["true"] }, [`${first}schedules`]: { rotateSmtp: { cron: "0 * * * *" } } },
    "rotations.smtp",
    /schedules\.rotateSmtp needs it/,
  ),
  rotating(
    "a restart by a line for a shell",
    { redeploy: { command: "systemctl reload apache2" } },
    "rotations.redeploy.command",
    /expected a program and its arguments/,
  ),
  rotating("a restart by nothing", { redeploy: { command: [] } }, "rotations.redeploy.command", /expected a program/),
  rotating("a restart without a command", { redeploy: {} }, "rotations.redeploy.command", /is missing; expected/),
];
