import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Template } from "@openemr-ops/stacks/synthesize";
import { afterAll, describe, expect, inject, it } from "vitest";
import { sampleConfigPath } from "../../support/sampleDeployment.ts";

const root = resolve(import.meta.dirname, "../../..");
const directory = mkdtempSync(join(tmpdir(), "openemr-ops-build-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const withoutRegion = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^AWS_.*REGION$/.test(name)));

const run = async (file: string, args: readonly string[], environment: Readonly<Record<string, string>> = {}) => {
  const child = spawn(process.execPath, [join(root, file), ...args], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...withoutRegion, ...environment },
  });
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => said.push(text));
  const [status] = await once(child, "close");
  return { status, said: said.join("") };
};

const synth = (environment: Readonly<Record<string, string>>, ...args: readonly string[]) =>
  run("stacks/synth.ts", args, environment);

/** The account and region of each stack that was built. */
const placesIn = (assembly: string): readonly string[] =>
  Object.values<{ type: string; environment?: string }>(
    JSON.parse(readFileSync(join(assembly, "manifest.json"), "utf8")).artifacts,
  )
    .filter(({ type }) => type === "aws:cloudformation:stack")
    .map(({ environment = "" }) => environment);

const resourcesIn = ({ Resources }: Template) => Object.entries(Resources).map(([id, { Type }]) => `${Type} ${id}`);

describe("npm run synth", () => {
  it("builds with SST's own command what tests and the local cloud synthesise, with no AWS in reach", async () => {
    const { status, said } = await synth(
      { AWS_REGION: "eu-central-1" },
      ...["--config", sampleConfigPath, "--stage", "prod", "--to", directory],
    );

    expect(said).toContain("Built: 5 stacks");
    expect(status).toBe(0);
    const built = readdirSync(directory)
      .filter((name) => name.endsWith(".template.json"))
      .map((name) => ({
        name: name.replace(".template.json", ""),
        resources: resourcesIn(JSON.parse(readFileSync(join(directory, name), "utf8"))),
      }));
    const { prod } = inject("synth");
    expect(placesIn(directory)).toEqual(Array(5).fill("aws://123456789012/eu-central-1"));
    expect(built).toEqual(prod.map(({ name, template }) => ({ name, resources: resourcesIn(template) })));
  });

  it("refuses a configuration that cannot be deployed, by the fields' names", async () => {
    const { status, said } = await synth(
      {},
      ...["--config", sampleConfigPath, "--stage", "dev", "--region", "eu-central-1", "--to", directory],
    );

    expect(status).toBe(1);
    expect(said).toMatch(/stage: expected up to 16 lower-case letters and digits/);
  });
});

describe("sst build", () => {
  it("refuses a deployment whose region nothing sets, before it asks AWS anything", async () => {
    const calls: string[] = [];
    const server = createServer((request, response) => {
      calls.push(request.url ?? "");
      response.writeHead(500).end();
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    try {
      const { status, said } = await run("node_modules/sst/cli/sst.js", ["build", "--stage", "prod"], {
        AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`,
        AWS_ACCESS_KEY_ID: "none",
        AWS_SECRET_ACCESS_KEY: "none",
        SST_TELEMETRY_DISABLED: "1",
      });
      expect(said).toContain("--region: is missing");
      expect(status).toBe(1);
      expect(calls).toEqual([]);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});
