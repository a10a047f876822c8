import { PasswordPolicyError } from "@openemr-ops/core/errors";
import type { DatabaseConnection } from "../connection.ts";

const countOf = (password: string, kind: RegExp): number => password.match(kind)?.length ?? 0;

/** Which count of which characters each rule demands, by the end of its name. */
const demands: readonly (readonly [rule: RegExp, kinds: readonly RegExp[]])[] = [
  [/_number_count$|check_digits$/, [/[0-9]/g]],
  [/_mixed_case_count$|check_letters_same_case$/, [/[a-z]/g, /[A-Z]/g]],
  [/_special_char_count$|check_other_characters$/, [/[^A-Za-z0-9]/g]],
];

/**
 * The server's rule that a password breaks. Dictionaries are not looked into.
 *
 * @param variables the server's, by name. Sources: MySQL manual, "Password Validation Options and Variables"; MariaDB
 *   knowledge base, "Simple Password Check Plugin"
 */
export const brokenRule = (password: string, variables: ReadonlyMap<string, string>): string | undefined => {
  const rules = [...variables].map(([name, value]) => ({ name, rule: name.replace(".", "_"), value }));
  const low = rules.some(({ rule, value }) => rule === "validate_password_policy" && /^(LOW|0)$/i.test(value));
  const checked = (rule: string) => /^simple_password_check_/.test(rule) || (/^validate_password_/.test(rule) && !low);
  for (const { name, rule, value } of rules) {
    if (
      /^(validate_password_length|simple_password_check_minimal_length)$/.test(rule) &&
      password.length < Number(value)
    )
      return `${name} = ${value}`;
    const [, kinds = []] = demands.find(([pattern]) => checked(rule) && pattern.test(rule)) ?? [];
    if (kinds.some((kind) => countOf(password, kind) < Number(value))) return `${name} = ${value}`;
  }
  const strict = rules.some(({ rule, value }) => rule === "strict_password_validation" && /^(ON|1)$/i.test(value));
  // A hash cannot be looked into, and a password in the clear would be in the server's logs.
  return strict && rules.some(({ rule }) => /^(simple_password_check|cracklib_password_check)_/.test(rule))
    ? "strict_password_validation = ON"
    : undefined;
};

/**
 * Makes sure that the server takes a password, before it is used for anything.
 *
 * @throws {PasswordPolicyError} refused: names the rule
 */
export const assertPasswordAllowed = async (admin: DatabaseConnection, password: string): Promise<void> => {
  const rows = await admin.rows(
    "SHOW GLOBAL VARIABLES WHERE Variable_name LIKE 'validate\\_password%' OR Variable_name LIKE '%\\_password\\_check\\_%' OR Variable_name = 'strict_password_validation'",
  );
  const rule = brokenRule(
    password,
    new Map(rows.map(({ Variable_name, Value }) => [Variable_name ?? "", Value ?? ""])),
  );
  if (rule === undefined) return;
  throw new PasswordPolicyError(
    `the database server's rule ${rule} refuses generated passwords, and nothing was changed; relax that rule: they have 52 characters, at least one of each class, and MariaDB gets their hash, so that its logs do not hold them`,
  );
};
