import { argon2, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import { PasswordPolicyError } from "@openemr-ops/core/errors";
import { compare, genSalt, hash } from "bcryptjs";
import { verify as verifySha512 } from "unixcrypt";

/** bcrypt takes no account of what is behind them. */
export const longestPasswordBytes = 72;

/**
 * A hash of a password in the only form of bcrypt that OpenEMR takes for a hash: `$2y$`.
 *
 * @param cost as PHP's: 4 to 31, each doubles the time
 * @throws {PasswordPolicyError} refused: bcrypt would cut the password
 */
export const hashPassword = async (password: string, cost: number): Promise<string> => {
  const problem = uncutProblem(password);
  if (problem) throw new PasswordPolicyError(`the new password ${problem}`);
  // The library's own salts are of the form `$2b$`: same algorithm, other name.
  return await hash(password, (await genSalt(cost)).replace(/^\$2[ab]\$/, "$2y$"));
};

/** What bcrypt would not take whole, in words that follow "the password". */
export const uncutProblem = (password: string): string | undefined => {
  if (password === "") return "is empty";
  if (password.includes("\0")) return "contains a NUL character";
  const bytes = Buffer.byteLength(password);
  return bytes > longestPasswordBytes
    ? `has ${bytes} bytes, and bcrypt takes no account of more than ${longestPasswordBytes}`
    : undefined;
};

const bcryptForm = /^\$2y\$(\d\d)\$[./A-Za-z0-9]{53}$/;
const argonForm = /^\$argon2(id?)\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;
const sha512Form = /^\$6\$rounds=(\d+)\$[./A-Za-z0-9]{1,16}\$[./A-Za-z0-9]{86}$/;

/** Whether OpenEMR takes a text for the hash of a password. Any other text lets nobody in, though PHP could verify it. */
export const isOpenEmrHash = (text: string): boolean =>
  [bcryptForm, argonForm, sha512Form].some((form) => form.test(text) && !text.includes("\n"));

/** The cost of a bcrypt hash. */
export const bcryptCost = (text: string): number | undefined => {
  const [, cost] = bcryptForm.exec(text) ?? [];
  return cost === undefined ? undefined : Number(cost);
};

/** What is never computed: it would take minutes, or all memory. OpenEMR's own settings are far below. */
const tooMuch = { bcryptCost: 15, rounds: 1_000_000, kibibytes: 1 << 18, passes: 64, lanes: 64 };

/**
 * Whether a password opens a hash as OpenEMR's login would find.
 *
 * @returns `unknown` where computing it would take too long
 */
export const opens = async (password: string, text: string): Promise<boolean | "unknown"> => {
  if (!isOpenEmrHash(text) || password === "" || password.includes("\0")) return false;
  const cost = bcryptCost(text);
  if (cost !== undefined) return cost > tooMuch.bcryptCost ? "unknown" : await compare(password, text);
  const [, rounds] = sha512Form.exec(text) ?? [];
  if (rounds !== undefined) return Number(rounds) > tooMuch.rounds ? "unknown" : verifySha512(password, text);
  return await opensArgon(password, text);
};

const argon = promisify(argon2);

const opensArgon = async (password: string, text: string): Promise<boolean | "unknown"> => {
  const [, kind, kibibytes, passes, lanes, salt = "", tag = ""] = argonForm.exec(text) ?? [];
  const [memory, time, parallelism] = [Number(kibibytes), Number(passes), Number(lanes)];
  if (memory > tooMuch.kibibytes || time > tooMuch.passes || parallelism > tooMuch.lanes) return "unknown";
  const expected = Buffer.from(tag, "base64");
  const found = await argon(kind === "id" ? "argon2id" : "argon2i", {
    message: password,
    nonce: Buffer.from(salt, "base64"),
    parallelism,
    tagLength: expected.length,
    memory,
    passes: time,
  });
  return timingSafeEqual(found, expected);
};
