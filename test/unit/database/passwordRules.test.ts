import { newPassword } from "@openemr-ops/database/users/newPassword";
import { brokenRule } from "@openemr-ops/database/users/passwordRules";
import { describe, expect, it } from "vitest";

const broken = (variables: Readonly<Record<string, string>>, password = newPassword()) =>
  brokenRule(password, new Map(Object.entries(variables)));

const mysql = {
  "validate_password.check_user_name": "ON",
  "validate_password.length": "8",
  "validate_password.mixed_case_count": "1",
  "validate_password.number_count": "1",
  "validate_password.policy": "MEDIUM",
  "validate_password.special_char_count": "1",
};
const mariadb = {
  simple_password_check_digits: "1",
  simple_password_check_letters_same_case: "1",
  simple_password_check_minimal_length: "8",
  simple_password_check_other_characters: "1",
};

describe("a generated password", () => {
  it("keeps the rules that servers have by default", () => {
    expect([broken(mysql), broken(mariadb), broken({}), broken({ strict_password_validation: "ON" })]).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });

  it.each<{ rule: string; variables: Record<string, string> }>([
    { rule: "validate_password.length = 64", variables: { ...mysql, "validate_password.length": "64" } },
    { rule: "validate_password_length = 64", variables: { validate_password_length: "64" } },
    {
      rule: "validate_password.special_char_count = 3",
      variables: { ...mysql, "validate_password.special_char_count": "3" },
    },
    {
      rule: "simple_password_check_letters_same_case = 2",
      variables: { ...mariadb, simple_password_check_letters_same_case: "2" },
    },
    { rule: "strict_password_validation = ON", variables: { ...mariadb, strict_password_validation: "ON" } },
  ])("is refused by $rule, under that name", ({ rule, variables }) => {
    expect(broken(variables)).toBe(rule);
  });

  it("is measured by its length alone under MySQL's low policy", () => {
    const low = { ...mysql, "validate_password.policy": "LOW" };

    expect([broken(low, "aaaaaaaa"), broken(low, "aaa")]).toEqual([undefined, "validate_password.length = 8"]);
  });
});
