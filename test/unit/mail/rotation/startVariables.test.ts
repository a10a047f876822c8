import { RotationRefusedError } from "@openemr-ops/core/errors";
import type { VariableSource } from "@openemr-ops/core/startVariables";
import { fedByContainers } from "@openemr-ops/mail/rotation/startVariables";
import { describe, expect, it } from "vitest";

const secret = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:smtp-AbCdEf";
const bare = secret.replace("-AbCdEf", "");
const places = { secret, userParameter: "smtp_user" };
const [user, password] = ["OPENEMR_SETTING_SMTP_USER", "OPENEMR_SETTING_SMTP_PASS"];
const started = (sources: Readonly<Record<string, VariableSource>>) => ({
  read: async (names: readonly string[]) =>
    Object.entries(sources).flatMap(([name, from]) =>
      names.includes(name) ? [{ name, container: "openemr", from }] : [],
    ),
});

describe("containers that write the SMTP login when they start", () => {
  it("are none where they get neither variable", async () => {
    expect(await fedByContainers(started({ OTHER: { kind: "text" } }), places)).toBe(false);
  });

  it.each<{ what: string; sources: Readonly<Record<string, VariableSource>> }>([
    {
      what: "the parameter and the secret that are kept in step, as the stack of openemr-on-ecs has them",
      sources: {
        [user]: { kind: "parameter", name: "/smtp_user" },
        [password]: { kind: "secret", arn: bare, key: "password" },
      },
    },
    { what: "the secret alone", sources: { [user]: { kind: "secret", arn: secret, key: "username" } } },
  ])("start with the new login where they read $what", async ({ sources }) => {
    expect(await fedByContainers(started(sources), places)).toBe(true);
  });

  it.each<{ what: string; name: string; from: VariableSource; says: RegExp }>([
    { what: "a text", name: password, from: { kind: "text" }, says: /from the text in the task definition/ },
    { what: "another secret", name: password, from: { kind: "secret", arn: `${bare}2` }, says: /secret:smtp2 \(as a/ },
    { what: "the whole secret", name: password, from: { kind: "secret", arn: secret }, says: /\(as a whole\)/ },
    {
      what: "a version that stays",
      name: password,
      from: { kind: "secret", arn: secret, key: "password", version: "AWSPREVIOUS" },
      says: /version AWSPREVIOUS/,
    },
    { what: "another parameter", name: user, from: { kind: "parameter", name: "other" }, says: /the parameter other/ },
    {
      what: "a parameter with a password",
      name: password,
      from: { kind: "parameter", name: "smtp_user" },
      says: /take it from field password of rotations\.smtp\.secret/,
    },
  ])("are refused with $what as the place of $name, for they would bring the old login back", async (given) => {
    const refused = fedByContainers(started({ [given.name]: given.from }), places);
    await expect(refused).rejects.toThrow(RotationRefusedError);
    await expect(refused).rejects.toThrow(given.says);
    await expect(refused).rejects.toThrow(given.name);
  });
});
