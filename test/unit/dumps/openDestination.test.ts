import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { openDestination } from "@openemr-ops/task/openDestination";
import { describe, expect, it } from "vitest";

describe("opening a destination", () => {
  it.each([
    { address: { kind: "file", directory: "/srv/backups/clinic-a" } as const, url: "file:///srv/backups/clinic-a" },
    {
      address: { kind: "s3", bucket: "dumps", prefix: "clinic-a", region: "us-east-1", pathStyle: false } as const,
      url: "s3://dumps/clinic-a",
    },
    {
      address: { kind: "s3", bucket: "dumps", prefix: "", region: "us-east-1", pathStyle: true } as const,
      url: "s3://dumps",
    },
    { address: { kind: "gcs", bucket: "dumps", prefix: "clinic-a" } as const, url: "gs://dumps/clinic-a" },
  ])("gives the one at $url", async ({ address, url }) => {
    expect((await openDestination(address)).url).toBe(url);
  });

  it("loads no cloud's library for a directory", async () => {
    const program = `
      import { registerHooks } from "node:module";
      const loaded = [];
      registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) });
      const { openDestination } = await import("@openemr-ops/task/openDestination");
      await openDestination({ kind: "file", directory: "/srv/backups" });
      console.log(JSON.stringify(loaded.filter((url) => /@aws-sdk|@google-cloud|packages.(aws|gcp)/.test(url))));
    `;
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", program]);

    expect(JSON.parse(stdout)).toEqual([]);
  });
});
