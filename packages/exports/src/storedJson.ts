import { fieldPath } from "@openemr-ops/core/config/fieldPath";
import type { Destination } from "@openemr-ops/core/destination";
import { IntegrityError } from "@openemr-ops/core/errors";
import type * as z from "zod";
import { readAllOf, type SmallObject } from "./readAllOf.ts";

const nextStep = "find out who wrote it, remove it, and export again";

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/**
 * The value of an object that was read, if it is what the shape says. Its content is not quoted: anybody may have written it.
 *
 * @throws {IntegrityError} damaged: it is not JSON, or has another shape
 */
export const jsonOf = <Value>(
  { bytes }: Pick<SmallObject, "bytes">,
  { url }: Pick<Destination, "url">,
  key: string,
  shape: z.ZodType<Value>,
): Value => {
  const value = parsed(bytes.toString("utf8"));
  const refuse = (what: string) => new IntegrityError(`${key} in ${url} ${what}: ${nextStep}`);
  if (value === undefined) throw refuse(`is not whole JSON (${bytes.length} bytes)`);
  const checked = shape.safeParse(value);
  if (checked.success) return checked.data;
  const at = fieldPath(checked.error.issues[0]?.path ?? []);
  throw refuse(`is not what an export writes there${at === "" ? "" : ` (see ${at})`}`);
};

/**
 * What an export wrote as JSON, read back; `undefined` when there is none. Everything that is read back from a destination comes
 * this way: others may write there.
 *
 * @throws {IntegrityError} damaged: it is not JSON, has another shape, or is larger than an export writes
 */
export const storedJson = async <Value>(
  destination: Destination,
  key: string,
  shape: z.ZodType<Value>,
): Promise<Value | undefined> => {
  const found = await readAllOf(destination, key);
  return found && jsonOf(found, destination, key, shape);
};
