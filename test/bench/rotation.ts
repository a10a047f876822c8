import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startMariaDb } from "@openemr-ops/local/servers/mariadb";
import { aRotation } from "../support/aRotation.ts";
import { rotateUnderLoad } from "../support/rotateUnderLoad.ts";

/** Rotations of the database user, one after the other, while a PHP application serves requests that read the database. */
const { values } = parseArgs({
  options: {
    rotations: { type: "string", default: "10" },
    clients: { type: "string", default: "6" },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  process.stdout.write("npm run bench:rotation -- [--rotations 10] [--clients 6]\n");
  process.exit(0);
}
const rotations = Number(values.rotations);
const directory = mkdtempSync(join(tmpdir(), "bench-rotation-"));
const server = await startMariaDb({ directory });
try {
  await using hospital = await aRotation(server);
  const { requests, failed, seconds, rotationSeconds, lives } = await rotateUnderLoad(
    hospital,
    rotations,
    Number(values.clients),
  );
  const refused = await Promise.all(lives.slice(0, -1).map(async (former) => !(await hospital.opens(former))));
  const mean = rotationSeconds.reduce((sum, one) => sum + one, 0) / rotations;
  const rows: readonly (readonly [string, string])[] = [
    ["requests", `${requests}, ${(requests / seconds).toFixed(0)} a second`],
    ["failed requests", String(failed.length)],
    ["seconds for a rotation, with 3 s of waiting for PHP's cache", mean.toFixed(1)],
    ["different live passwords", String(new Set(lives.slice(1).map(({ password }) => password)).size)],
    ["former passwords refused", `${refused.filter(Boolean).length} of ${refused.length}`],
  ];
  process.stdout.write(
    `\n${rotations} rotations, ${values.clients} clients, 8 workers of PHP; ${availableParallelism()} cores; ${new Date().toISOString().slice(0, 10)}\n\n` +
      `${["| | |", "| --- | --- |", ...rows.map(([what, figure]) => `| ${what} | ${figure} |`)].join("\n")}\n`,
  );
  for (const one of failed.slice(0, 5)) process.stderr.write(`${one}\n`);
  process.exitCode = failed.length === 0 ? 0 : 1;
} finally {
  await server.stop();
  rmSync(directory, { recursive: true, force: true });
}
