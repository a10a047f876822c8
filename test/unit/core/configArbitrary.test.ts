import { parseJson } from "@openemr-ops/core/config/jsonText";
import { loadConfig } from "@openemr-ops/core/config/load";
import { configSchema } from "@openemr-ops/core/config/schema";
import { parseStrictly } from "@openemr-ops/core/config/strict";
import { InvalidInputError } from "@openemr-ops/core/errors";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { setAt } from "../../support/brokenConfigs.ts";
import { aConfig, aConfigDirectory, anInstallation, snapshotOf } from "../../support/configuration.ts";

/** Every place of a JSON-like value, leaves and branches. */
const placesOf = (value: unknown, prefix = ""): readonly string[] =>
  typeof value === "object" && value !== null
    ? Object.entries(value).flatMap(([name, inner]) => [`${prefix}${name}`, ...placesOf(inner, `${prefix}${name}.`)])
    : [];

/** One that is deployed on AWS, with every setting that takes. */
const aDeployedConfig = (): unknown => {
  const secret = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:some-AbCdEf";
  const { database, dumps } = anInstallation();
  const cron = { cron: "30 2 * * *", timeZone: "Europe/Berlin", flexibleMinutes: 15, deadlineMinutes: 240 };
  const network = {
    vpcId: "vpc-0123456789abcdef0",
    subnetIds: ["subnet-0123456789abcdef0"],
    securityGroupIds: ["sg-0123456789abcdef0"],
    endpoints: { gateway: { routeTableIds: ["rtb-0123456789abcdef0"] }, interface: { vpcCidrs: ["10.0.0.0/16"] } },
  };
  return {
    notifications: { slack: { botToken: secret, channel: "C0123456789" } },
    installations: [
      {
        id: "clinic-a",
        platform: { kind: "ecs", cluster: "openemr", service: "openemr", network },
        database,
        sites: { path: "/mnt/sites", fileSystemId: "fs-0123456789abcdef0", accessPointId: "fsap-0123456789abcdef0" },
        dumps: { ...dumps, destination: "s3://dumps/clinic-a", region: "eu-central-1" },
        schedules: { dump: cron, drill: cron, check: { ...cron, level: "objects" } },
      },
    ],
  };
};

const secretPlaces = ["database.password", "database.passwordFile", "dumps.password", "dumps.passwordFile"].map(
  (place) => `installations.0.${place}`,
);

const outcomeOf = async (text: string): Promise<unknown> => {
  await using directory = await aConfigDirectory();
  const file = await directory.write(text);
  const before = await snapshotOf(directory.path);
  const outcome = await loadConfig(file).catch((error: unknown) => error);
  expect(await snapshotOf(directory.path)).toEqual(before);
  return outcome;
};

describe("any input at all", () => {
  it("is either a configuration or refused by name, and nothing is touched", async () => {
    await fc.assert(
      fc.asyncProperty(fc.json(), async (text) => {
        expect(await outcomeOf(text)).toBeInstanceOf(InvalidInputError);
      }),
      { numRuns: 60 },
    );
  });

  it.each([
    { good: "a plain configuration", make: aConfig },
    { good: "one that is deployed", make: aDeployedConfig },
  ])("is refused by name when one place of $good holds something else", async ({ make }) => {
    expect(await outcomeOf(JSON.stringify(make()))).toHaveProperty("installations");
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...placesOf(make())), fc.jsonValue(), async (place, value) => {
        const outcome = await outcomeOf(JSON.stringify(setAt(make(), place, value)));
        const accepted = typeof outcome === "object" && outcome !== null && "installations" in outcome;
        expect(accepted || outcome instanceof InvalidInputError).toBe(true);
      }),
      { numRuns: 150 },
    );
  });

  it("never shows what is in the place of a password", () => {
    const canary = fc.stringMatching(/^[A-Za-z0-9]{12,24}$/).map((text) => `canary${text}`);
    const shape = fc.constantFrom<(text: string) => unknown>(
      (text) => text,
      (text) => [text],
      (text) => ({ value: text }),
      (text) => ({ [text]: text }),
      (text) => `env:${text}!`,
      (text) => `arn:aws:secretsmanager:${text}`,
      (text) => `${text}\n${text}`,
    );
    fc.assert(
      fc.property(fc.constantFrom(...secretPlaces), canary, shape, (place, text, make) => {
        const parsed = parseStrictly(configSchema, setAt(aConfig(), place, make(text)));
        expect(JSON.stringify("issues" in parsed ? parsed.issues : [])).not.toContain(text);
      }),
    );
  });

  it("does not exhaust the stack, however deep it nests", async () => {
    const deep = `${"[".repeat(200_000)}${"]".repeat(200_000)}`;
    expect(await outcomeOf(deep)).toBeInstanceOf(InvalidInputError);
    expect(await outcomeOf(`{"installations":${deep}}`)).toBeInstanceOf(InvalidInputError);
  });
});

const attempt = (work: () => unknown): { readonly value?: unknown; readonly error?: unknown } => {
  try {
    return { value: work() };
  } catch (error) {
    return { error };
  }
};

describe("our reading of JSON", () => {
  it("gives what the standard parser gives", () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(parseJson(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it("refuses exactly what the standard parser refuses, and settings that stand twice", () => {
    const piece = fc.constantFrom(
      "{",
      "}",
      "[",
      "]",
      ",",
      ":",
      '"a"',
      '"b"',
      "1",
      "-0.5e3",
      "01",
      "true",
      "nul",
      " ",
      "\n",
      '"',
      "\\",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 9 }), (pieces) => {
        const text = pieces.join("");
        const ours = attempt(() => parseJson(text));
        const theirs = attempt(() => JSON.parse(text));
        const twice = ours.error instanceof InvalidInputError && ours.error.message.includes("is set twice");
        expect("error" in ours).toBe("error" in theirs || twice);
        if ("error" in ours) expect(ours.error).toBeInstanceOf(InvalidInputError);
      }),
      { numRuns: 2000 },
    );
  });
});
