import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Template } from "@openemr-ops/stacks/synthesize";
import { afterAll, describe, expect, inject, it } from "vitest";
import { sampleConfigPath } from "../../support/sampleDeployment.ts";

const root = resolve(import.meta.dirname, "../../..");
const directory = mkdtempSync(join(tmpdir(), "openemr-ops-build-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const build = async (...args: readonly string[]) => {
  const child = spawn(process.execPath, [join(root, "stacks/synth.ts"), ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => said.push(text));
  const [status] = await once(child, "close");
  return { status, said: said.join("") };
};

const resourcesIn = ({ Resources }: Template) => Object.entries(Resources).map(([id, { Type }]) => `${Type} ${id}`);

describe("npm run synth", () => {
  it("builds with SST's own command what tests and the local cloud synthesise, with no AWS in reach", async () => {
    const { status, said } = await build("--config", sampleConfigPath, "--stage", "prod", "--to", directory);

    expect(said).toContain("Built: 5 stacks");
    expect(status).toBe(0);
    const built = readdirSync(directory)
      .filter((name) => name.endsWith(".template.json"))
      .map((name) => ({
        name: name.replace(".template.json", ""),
        resources: resourcesIn(JSON.parse(readFileSync(join(directory, name), "utf8"))),
      }));
    const { prod } = inject("synth");
    expect(built).toEqual(prod.map(({ name, template }) => ({ name, resources: resourcesIn(template) })));
  });

  it("refuses a configuration that cannot be deployed, by the fields' names", async () => {
    const { status, said } = await build("--config", sampleConfigPath, "--stage", "dev", "--to", directory);

    expect(status).toBe(1);
    expect(said).toMatch(/stage: expected up to 16 lower-case letters and digits/);
  });
});
