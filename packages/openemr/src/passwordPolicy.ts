import { uncutProblem } from "./passwordHash.ts";
import type { Settings } from "./settings.ts";

/** OpenEMR's rules for a new password; lengths in bytes, 0 for no limit. */
export interface PasswordPolicy {
  readonly minimum: number;
  readonly maximum: number;
  /** A small letter, a capital, a digit, and something else. */
  readonly classes: boolean;
  /** How many passwords, with the present one, may not come again; 0 keeps none. */
  readonly history: number;
}

/** Where a setting is absent, OpenEMR's own default holds. */
export const passwordPolicyIn = (settings: Settings): PasswordPolicy => {
  const numberOf = (name: string, otherwise: number): number => {
    const text = settings.get(name);
    return text !== undefined && /^\d{1,4}$/.test(text) ? Number(text) : otherwise;
  };
  return {
    minimum: numberOf("gbl_minimum_password_length", 9),
    maximum: numberOf("gbl_maximum_password_length", 72),
    classes: (settings.get("secure_password") ?? "1") === "1",
    history: numberOf("password_history", 5),
  };
};

/** The settings that `passwordPolicyIn` reads. */
export const policySettings = [
  "gbl_maximum_password_length",
  "gbl_minimum_password_length",
  "password_history",
  "secure_password",
] as const;

const classes: readonly (readonly [name: string, form: RegExp])[] = [
  ["small letter", /[a-z]/],
  ["capital letter", /[A-Z]/],
  ["digit", /[0-9]/],
  ["character that is neither letter nor digit", /[\W_]/],
];

/** Which rule a password breaks, in words that follow "the password"; never the password itself. */
export const policyProblem = (password: string, policy: PasswordPolicy): string | undefined => {
  const cut = uncutProblem(password);
  if (cut) return cut;
  const bytes = Buffer.byteLength(password);
  if (bytes < policy.minimum)
    return `has ${bytes} bytes, and the setting gbl_minimum_password_length asks for ${policy.minimum}`;
  if (policy.maximum > 0 && bytes > policy.maximum)
    return `has ${bytes} bytes, and the setting gbl_maximum_password_length allows ${policy.maximum}`;
  const [missing] = policy.classes ? classes.filter(([, form]) => !form.test(password)) : [];
  return missing && `has no ${missing[0]}, and the setting secure_password asks for one`;
};
