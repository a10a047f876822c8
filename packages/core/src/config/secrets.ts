import { resolve } from "node:path";
import { InvalidInputError } from "../errors.ts";
import { environmentReference, secretReference } from "./fields.ts";
import { readDocumentFile, readPasswordFile } from "./passwordFile.ts";
import { documentIn, passwordIn } from "./passwordText.ts";

/** Where a secret's value is; the value itself is never part of a configuration. */
export type SecretReference = {
  /** Dotted path of the setting that says so, for messages. */
  readonly field: string;
  /** It is read whole, of however many lines; not set: a password, which is one line. */
  readonly document?: boolean;
} & (
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "environment"; readonly name: string }
  | {
      readonly kind: "aws";
      /** ARN of a Secrets Manager secret. */
      readonly arn: string;
      /** Which field of a JSON secret; `password` when not said. */
      readonly key?: string;
    }
);

/** Reads a setting's text as a reference. A file's name is taken relative to `directory`. */
export const toSecretReference = (
  text: string,
  field: string,
  directory: string,
  { document = false }: { readonly document?: boolean } = {},
): SecretReference => {
  const of = document ? { field, document } : { field };
  const [, variable] = environmentReference.exec(text) ?? [];
  if (variable !== undefined) return { kind: "environment", name: variable, ...of };
  const [, arn, key] = secretReference.exec(text) ?? [];
  if (arn !== undefined) return { kind: "aws", arn, ...of, ...(key === undefined ? {} : { key }) };
  return { kind: "file", path: resolve(directory, text), ...of };
};

const isSecretReference = (value: object): value is SecretReference =>
  "kind" in value && "field" in value && typeof value.field === "string";

/** Every secret that settings name, however deep; one that serves twice comes twice. */
export const secretsIn = (settings: unknown): readonly SecretReference[] => {
  if (typeof settings !== "object" || settings === null) return [];
  return isSecretReference(settings) ? [settings] : Object.values(settings).flatMap(secretsIn);
};

/**
 * Fetches a secret's value, anew each time: a rotated secret is seen by the next call. Never empty; a password never has a
 * line break.
 *
 * @throws {InvalidInputError} the file or the variable is absent or holds no password
 * @throws {SecretUnreadableError} fatal: the secret store knows no such secret or refuses
 * @throws {SecretStoreUnavailableError} retryable
 */
export type SecretReader = (reference: SecretReference) => Promise<string>;

/** Reads a secret when it is first asked for, and once. */
export const readOnce = (read: () => Promise<string>): (() => Promise<string>) => {
  let value: Promise<string> | undefined;
  return () => (value ??= read());
};

/**
 * Reads a secret's text from AWS Secrets Manager, as it is there; implemented by `packages/aws/src/awsSecret.ts`. Throws as
 * `SecretReader` does. `document`: without a key the whole text.
 */
export type AwsSecretReader = (arn: string, key?: string, document?: boolean) => Promise<string>;

export interface SecretSources {
  /** Usually the program's own environment. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Not set: ARNs are refused. */
  readonly awsSecret?: AwsSecretReader;
}

const refuse = (field: string, message: string): never => {
  throw new InvalidInputError([{ path: field, message }]);
};

/** The secret reader of a program: files and variables here, ARNs through the given port. */
export const readSecret =
  ({ environment, awsSecret }: SecretSources): SecretReader =>
  async (reference) => {
    const { field, document } = reference;
    const secretIn = document ? documentIn : passwordIn;
    if (reference.kind === "file") {
      const read = await (document ? readDocumentFile : readPasswordFile)(reference.path);
      return "problem" in read ? refuse(field, read.problem) : read.password;
    }
    if (reference.kind === "environment") {
      const value = environment[reference.name];
      if (value === undefined) return refuse(field, `the environment variable ${reference.name} is not set`);
      const read = secretIn(value);
      if ("password" in read) return read.password;
      return refuse(field, `the value of the environment variable ${reference.name} ${read.problem}`);
    }
    if (!awsSecret) return refuse(field, "this program was started without access to AWS secrets; use a password file");
    const read = secretIn(await awsSecret(reference.arn, reference.key, document));
    return "password" in read ? read.password : refuse(field, `the value of that secret ${read.problem}`);
  };
