import { loadConfig } from "@openemr-ops/core/config/load";
import { requireSection, selectInstallation } from "@openemr-ops/core/config/select";
import { openContext, type Surroundings } from "@openemr-ops/task/openContext";
import { describe, expect, it } from "vitest";
import { aConfig, aConfigDirectory } from "../../support/configuration.ts";

describe("what a job's context holds of passwords", () => {
  const opened = async () => {
    await using directory = await aConfigDirectory();
    const config = await loadConfig(await directory.write(aConfig()));
    const read: string[] = [];
    const surroundings: Surroundings = {
      environment: {},
      readSecret: async ({ field }) => {
        read.push(field);
        return "canary";
      },
      now: () => new Date(0),
      signal: new AbortController().signal,
      progress: () => undefined,
      warn: () => undefined,
    };
    const installation = requireSection(config, selectInstallation(config), "dumps");
    return { read, context: await openContext(config, installation, surroundings) };
  };

  it("is nothing before somebody logs in", async () => {
    const { read, context } = await opened();
    expect(read).toEqual([]);
    expect(context.database.name).toBe("openemr");
  });

  it("is the one with which somebody logs in, read once", async () => {
    const { read, context } = await opened();
    expect(await context.database.password()).toBe("canary");
    expect(await context.database.password()).toBe("canary");
    expect(read).toEqual(["installations[0].database.passwordFile"]);
  });
});
