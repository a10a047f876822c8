import { resolve } from "node:path";
import type { InputIssue } from "../errors.ts";
import { fieldPath, valueAt } from "./fieldPath.ts";
import { readPasswordFile } from "./passwordFile.ts";
import { passwordProblem } from "./passwordText.ts";
import { toSecretReference } from "./resolve.ts";
import { sealKeyProblem } from "./sealKey.ts";
import { readSmallFile, secretFileProblem } from "./smallFile.ts";

/** Settings that may name a secret or a certificate, below one installation. */
const holders: readonly (readonly string[])[] = [
  ["database"],
  ["database", "restore"],
  ["dumps"],
  ["dumps", "drill", "database"],
];

export interface ReferenceFindings {
  readonly issues: readonly InputIssue[];
  readonly warnings: readonly InputIssue[];
}

export interface ReferenceSurroundings {
  /** Relative names start here. */
  readonly directory: string;
  /** Not set: `env:NAME` is looked up only when the secret is read. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

const none: ReferenceFindings = { issues: [], warnings: [] };
const oneIssue = (path: string, message: string): ReferenceFindings => ({ issues: [{ path, message }], warnings: [] });

/** restic cuts spaces off a password file's ends: a repository made here would not open with the same file by hand. */
const ownProblem = (password: string, field: string): string | undefined => {
  if (/\.dumps\.sealKeyFile$/.test(field)) return sealKeyProblem(password);
  return /\.dumps\.password(File)?$/.test(field) && password !== password.trim()
    ? "starts or ends with a space; restic would cut it off"
    : undefined;
};

const checkSecret = async (
  text: string,
  field: string,
  { directory, environment }: ReferenceSurroundings,
): Promise<ReferenceFindings> => {
  const reference = toSecretReference(text, field, directory);
  if (reference.kind === "aws") return none;
  if (reference.kind === "environment") {
    if (!environment) return none;
    const value = environment[reference.name];
    if (value === undefined) return oneIssue(field, `the environment variable ${reference.name} is not set`);
    const problem = passwordProblem(value) ?? ownProblem(value, field);
    return problem ? oneIssue(field, `the value of the environment variable ${reference.name} ${problem}`) : none;
  }
  const file = await readPasswordFile(reference.path);
  const from = `relative names start at ${directory}`;
  if ("problem" in file) return oneIssue(field, `the password file ${file.problem} (${from})`);
  const problem = ownProblem(file.password, field);
  if (problem) return oneIssue(field, `the password ${problem}`);
  if (!file.readableByOthers) return none;
  return { issues: [], warnings: [{ path: field, message: "the password file is readable by others; chmod 600 it" }] };
};

/** Other files that settings name, and a text that each must hold. */
const files = {
  caFile: { mark: /-----BEGIN CERTIFICATE-----/, lacks: "no certificate in PEM form", secret: false },
  ageIdentityFile: { mark: /^AGE-SECRET-KEY-/m, lacks: "no age identity (a line AGE-SECRET-KEY-…)", secret: true },
} as const;

const checkFile = async (
  name: string,
  field: string,
  { mark, lacks, secret }: { readonly mark: RegExp; readonly lacks: string; readonly secret: boolean },
  { directory }: ReferenceSurroundings,
): Promise<ReferenceFindings> => {
  const file = await readSmallFile(resolve(directory, name));
  if ("problem" in file) return oneIssue(field, `the file ${file.problem} (relative names start at ${directory})`);
  const open = secret ? secretFileProblem(file) : undefined;
  if (open) return oneIssue(field, `the file ${open}`);
  return mark.test(file.content.toString("latin1")) ? none : oneIssue(field, `the file holds ${lacks}`);
};

const checkHolder = async (
  holder: unknown,
  path: readonly PropertyKey[],
  surroundings: ReferenceSurroundings,
  isBroken: (field: string) => boolean,
): Promise<readonly ReferenceFindings[]> => {
  const findings: ReferenceFindings[] = [];
  for (const name of ["password", "passwordFile", "sealKeyFile", "caFile", "ageIdentityFile"] as const) {
    const field = fieldPath([...path, name]);
    const value = valueAt(holder, [name]);
    if (typeof value !== "string" || isBroken(field)) continue;
    findings.push(
      name === "caFile" || name === "ageIdentityFile"
        ? await checkFile(value, field, files[name], surroundings)
        : await checkSecret(value, field, surroundings),
    );
  }
  return findings;
};

/**
 * Looks whether the files and variables that a configuration refers to are there and can serve. Takes the configuration as it
 * came, so that a missing file is reported together with a misspelled name; fields in `issues` are left alone. Reads only.
 *
 * @param installation when set, the references of other installations are not looked at
 */
export const checkReferences = async (
  input: unknown,
  issues: readonly InputIssue[],
  surroundings: ReferenceSurroundings,
  installation?: string,
): Promise<ReferenceFindings> => {
  const broken = new Set(issues.map(({ path }) => path));
  const isBroken = (field: string) => broken.has(field);
  const list = valueAt(input, ["installations"]);
  const installations: readonly unknown[] = Array.isArray(list) ? list : [];
  const findings: ReferenceFindings[] = [];
  for (const [index, one] of installations.entries()) {
    if (installation !== undefined && valueAt(one, ["id"]) !== installation) continue;
    for (const holder of holders) {
      const path = ["installations", index, ...holder];
      findings.push(...(await checkHolder(valueAt(one, holder), path, surroundings, isBroken)));
    }
  }
  return {
    issues: findings.flatMap((finding) => finding.issues),
    warnings: findings.flatMap((finding) => finding.warnings),
  };
};

/** The same for one object that holds a secret by itself, such as a connection file. */
export const checkOwnReferences = async (
  input: unknown,
  issues: readonly InputIssue[],
  surroundings: ReferenceSurroundings,
): Promise<ReferenceFindings> => {
  const broken = new Set(issues.map(({ path }) => path));
  const findings = await checkHolder(input, [], surroundings, (field) => broken.has(field));
  return {
    issues: findings.flatMap((finding) => finding.issues),
    warnings: findings.flatMap((finding) => finding.warnings),
  };
};
