import { stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type * as z from "zod";
import type { InputIssue } from "../errors.ts";
import { systemCodeOf } from "../systemErrors.ts";
import { valueAt } from "./fieldPath.ts";
import { readDocumentFile, readPasswordFile } from "./passwordFile.ts";
import { documentIn, passwordIn } from "./passwordText.ts";
import { type FileContent, type Reference, referencesIn } from "./references.ts";
import { toSecretReference } from "./secrets.ts";
import { installation } from "./sections/installation.ts";
import { readSmallFile, secretFileProblem } from "./smallFile.ts";

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

/** True when there is no such file, and its directory is there for one. */
const isAbsent = async (path: string): Promise<boolean> => {
  const stateOf = (name: string) => stat(name).catch((error: unknown) => systemCodeOf(error));
  return (await stateOf(path)) === "ENOENT" && typeof (await stateOf(dirname(path))) === "object";
};

const checkSecret = async (
  text: string,
  field: string,
  { directory, environment }: ReferenceSurroundings,
  { rule = () => undefined, document = false, written = false }: Extract<Reference, { readonly kind: "secret" }>,
): Promise<ReferenceFindings> => {
  const what = document ? "secret" : "password";
  const reference = toSecretReference(text, field, directory);
  if (reference.kind === "aws") return none;
  if (reference.kind === "environment") {
    if (!environment) return none;
    const value = environment[reference.name];
    if (value === undefined) return oneIssue(field, `the environment variable ${reference.name} is not set`);
    const read = (document ? documentIn : passwordIn)(value);
    const problem = "problem" in read ? read.problem : rule(read.password);
    return problem ? oneIssue(field, `the value of the environment variable ${reference.name} ${problem}`) : none;
  }
  if (written && (await isAbsent(reference.path))) return none;
  const file = await (document ? readDocumentFile : readPasswordFile)(reference.path);
  const from = `relative names start at ${directory}`;
  if ("problem" in file) return oneIssue(field, `the ${what} file ${file.problem} (${from})`);
  const problem = rule(file.password);
  if (problem) return oneIssue(field, `the ${what} ${problem}`);
  if (!file.readableByOthers) return none;
  return { issues: [], warnings: [{ path: field, message: `the ${what} file is readable by others; chmod 600 it` }] };
};

const checkFile = async (
  name: string,
  field: string,
  { directory }: ReferenceSurroundings,
  { fits, lacks, secret = false }: FileContent,
): Promise<ReferenceFindings> => {
  const file = await readSmallFile(resolve(directory, name));
  if ("problem" in file) return oneIssue(field, `the file ${file.problem} (relative names start at ${directory})`);
  const open = secret ? secretFileProblem(file) : undefined;
  if (open) return oneIssue(field, `the file ${open}`);
  return fits(file.content.toString("latin1")) ? none : oneIssue(field, `the file holds ${lacks}`);
};

/**
 * Looks whether the files and variables that a value refers to are there and can serve. Takes the value as it came, so that a
 * missing file is reported together with a misspelled name; fields in `issues` are left alone. Reads only.
 *
 * @param path where the value lies in the configuration
 */
export const checkReferences = async (
  schema: z.ZodType,
  input: unknown,
  issues: readonly InputIssue[],
  surroundings: ReferenceSurroundings,
  path: readonly PropertyKey[] = [],
): Promise<ReferenceFindings> => {
  const broken = new Set(issues.map((issue) => issue.path));
  const found = referencesIn(schema, input, path).filter(({ field }) => !broken.has(field));
  const findings: ReferenceFindings[] = [];
  for (const { text, field, reference } of found) {
    if (reference.kind === "secret") findings.push(await checkSecret(text, field, surroundings, reference));
    else if (reference.content) findings.push(await checkFile(text, field, surroundings, reference.content));
  }
  return {
    issues: findings.flatMap((finding) => finding.issues),
    warnings: findings.flatMap((finding) => finding.warnings),
  };
};

/**
 * The same for each installation of a configuration. What notifications refer to is read where people are notified.
 *
 * @param id when set, the references of other installations are not looked at
 */
export const checkInstallationReferences = async (
  input: unknown,
  issues: readonly InputIssue[],
  surroundings: ReferenceSurroundings,
  id?: string,
): Promise<ReferenceFindings> => {
  const list = valueAt(input, ["installations"]);
  const installations: readonly unknown[] = Array.isArray(list) ? list : [];
  const findings: ReferenceFindings[] = [];
  for (const [index, one] of installations.entries()) {
    if (id !== undefined && valueAt(one, ["id"]) !== id) continue;
    const path = ["installations", index];
    findings.push(await checkReferences(installation.schema, one, issues, surroundings, path));
  }
  return {
    issues: findings.flatMap((finding) => finding.issues),
    warnings: findings.flatMap((finding) => finding.warnings),
  };
};
