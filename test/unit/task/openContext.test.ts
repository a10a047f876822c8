import { loadConfig } from "@openemr-ops/core/config/load";
import { requireSection, selectInstallation } from "@openemr-ops/core/config/select";
import { openContext, type Surroundings } from "@openemr-ops/task/openContext";
import { describe, expect, it } from "vitest";
import { aConfig, aConfigDirectory } from "../../support/configuration.ts";

describe("what a job's context holds of passwords", () => {
  const opened = async (...logins: NonNullable<Parameters<typeof openContext>[3]>) => {
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
    return { read, context: await openContext(config, installation, surroundings, logins) };
  };

  it("is those of the logins that it uses", async () => {
    const { read, context } = await opened("database");
    expect(read).toEqual(["installations[0].database.passwordFile"]);
    expect(context.database.password).toBe("canary");
    expect(context.database.name).toBe("openemr");
  });

  it("is nothing where it logs in nowhere, not even an empty one: a step that takes one fails", async () => {
    const { read, context } = await opened();
    expect(read).toEqual([]);
    expect(context.drillDatabase.host).toBe("127.0.0.1");
    for (const access of [context.database, context.restoreDatabase, context.drillDatabase])
      expect(() => access.password).toThrow(/does not log in with the password in installations\[0\]\.database/);
  });
});
