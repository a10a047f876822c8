import * as z from "zod";
import { valueAt } from "../fieldPath.ts";
import * as field from "../fields.ts";
import { type Complain, complain, onAnyObject } from "../rules.ts";
import type { SecretReference } from "../secrets.ts";
import { section } from "../section.ts";
import { strict } from "../strict.ts";
import { loginShape, needsOnePassword, settleLogin } from "./login.ts";
import { settleSmtp, smtp } from "./smtp.ts";

/** Who may make users, with a password that is stored by itself, or a secret with both. */
const administrator = z.union([strict(loginShape).superRefine(needsOnePassword, onAnyObject), field.administrator], {
  error: "expected a user with its passwordFile, or a secret with the login of the database's administrator",
});

/** Whose credentials are replaced, and how OpenEMR gets to know the new ones. */
export const rotations = section(
  strict({
    /** OpenEMR's own database users, two by turns. */
    database: strict({
      /** JSON with `active_slot`, `A` and `B`; the first run writes it. */
      slots: field.writtenSecret("both database users of OpenEMR"),
      administrator,
      /** How long PHP and the file system may still serve the file before; not set, as long as they do by default. */
      settleSeconds: field.settleSeconds.optional(),
    }).optional(),
    /** A user of OpenEMR with the role of an administrator. */
    admin: strict({
      /** JSON with `username` and `password`. */
      secret: field.writtenSecret("the login of OpenEMR's administrator"),
      user: field.userName,
    }).optional(),
    /** The administrator of `database`. */
    master: strict({
      /** JSON with `username` and `password`; not set, that of `database.administrator`. */
      secret: field.writtenSecret("the login of the database's administrator").optional(),
      /** Of RDS; not set, it is found by the endpoint. */
      cluster: field.rdsIdentifier.optional(),
    }).optional(),
    /** OpenEMR's login at the SMTP server. */
    smtp: smtp.optional(),
    /** How OpenEMR is started anew; on ECS its service is deployed anew instead. */
    redeploy: strict({
      /** A program and its arguments, without a shell. */
      command: field.commandLine.optional(),
      /** How long the command, or a deployment on ECS, may take, and OpenEMR may be unhealthy after it. */
      limitSeconds: field.redeploySeconds.optional(),
      /** Secrets that OpenEMR's containers read when they start; one that Secrets Manager has rotated starts a redeployment. */
      whenRotated: field.secretArns.optional(),
    }).optional(),
  }).superRefine((asked, context) => {
    if (Object.values(asked).every((one) => one === undefined))
      complain(context, [], "asks for nothing; expected database, admin, master, smtp or redeploy");
  }, onAnyObject),
  ({ database, smtp, ...rest }) => ({
    ...rest,
    ...(smtp ? { smtp: settleSmtp(smtp) } : {}),
    ...(database ? { database: { ...database, administrator: settleAdministrator(database.administrator) } } : {}),
  }),
);

/** How the administrator logs in: a secret with user and password, or a user whose password is a secret. */
export type AdministratorLogin = SecretReference | { readonly user: string; readonly password: SecretReference };

type WrittenAdministrator = SecretReference | ({ readonly user: string } & Parameters<typeof settleLogin>[0]);

const settleAdministrator = (written: WrittenAdministrator): AdministratorLogin =>
  "kind" in written ? written : settleLogin(written);

const partOfSchedule = { rotateDatabase: "database", rotateAdmin: "admin", rotateMaster: "master", rotateSmtp: "smtp" };

/** Rules that look at the installation as a whole. */
export const rotationRules = (installation: unknown, context: Complain): void => {
  const at = (...path: readonly string[]) => valueAt(installation, ["rotations", ...path]);
  if (at() === undefined) return;
  const platform = valueAt(installation, ["platform", "kind"]);
  if (at("redeploy", "whenRotated") !== undefined && platform !== undefined && platform !== "ecs")
    complain(
      context,
      ["rotations", "redeploy", "whenRotated"],
      "is for platform ecs, where Secrets Manager reports it",
    );
  const command = at("redeploy", "command");
  const place = ["rotations", "redeploy", "command"];
  if (command !== undefined && platform === "ecs")
    complain(context, place, "is for platform host; on ecs the service that platform.service names is deployed anew");
  if (at("redeploy") !== undefined && command === undefined && platform !== "ecs")
    complain(
      context,
      place,
      'is missing; expected a program and its arguments, such as ["systemctl", "reload", "apache2"]',
    );
  if (valueAt(installation, ["health"]) === undefined)
    for (const [name, what] of [
      ["database", "a rotation of the database user"],
      ["redeploy", "a redeployment"],
    ] as const)
      if (at(name) !== undefined)
        complain(context, ["health"], `is missing; ${what} is proven by it: expected an object with url`);
  if (at("master") !== undefined && at("database", "administrator") === undefined)
    complain(context, ["rotations", "database"], "is missing; master replaces the password of its administrator");
  for (const [kind, part] of Object.entries(partOfSchedule))
    if (valueAt(installation, ["schedules", kind]) !== undefined && at(part) === undefined)
      complain(context, ["rotations", part], `is missing; expected an object, for schedules.${kind} needs it`);
  const soak = at("smtp", "soakMinutes");
  const deadline = valueAt(installation, ["schedules", "rotateSmtp", "deadlineMinutes"]);
  if (typeof soak === "number" && typeof deadline === "number" && deadline <= soak)
    complain(
      context,
      ["schedules", "rotateSmtp", "deadlineMinutes"],
      `are not longer than the ${soak} minutes of rotations.smtp.soakMinutes, after which the job ends; expected more`,
    );
  const places = [
    ["database", "slots"],
    ["admin", "secret"],
    ["master", "secret"],
    ["smtp", "secret"],
    ["smtp", "inStep", "secretAccessKey"],
  ].flatMap((path) => {
    const place = at(...path);
    return typeof place === "string" ? [{ path, place }] : [];
  });
  places.forEach(({ path, place }, index) => {
    if (places.findIndex((one) => one.place === place) < index)
      complain(context, ["rotations", ...path], "is also the secret of other credentials; expected one of its own");
  });
};
