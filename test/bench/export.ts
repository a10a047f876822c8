import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { startVersityGateway } from "@openemr-ops/local/servers/versitygw";
import { findTool, repositoryRoot } from "@openemr-ops/local/tools/findTool";
import { fillSites } from "./data.ts";
import { type Measured, shell } from "./measure.ts";

/** Runs after the first; the figures are those of the one in the middle. */
const again = 3;
const middleOf = (runs: readonly Measured[]) => {
  const middle = (of: (run: Measured) => number) =>
    runs.map(of).sort((one, other) => one - other)[runs.length >> 1] ?? 0;
  return {
    seconds: middle(({ seconds }) => seconds),
    cpuSeconds: middle(({ cpuSeconds }) => cpuSeconds),
    peakBytes: Math.max(...runs.map(({ peakBytes }) => peakBytes)),
  };
};

/**
 * Exports the same sites tree to the same object server with this product, with `aws s3 sync` and with rclone: everything, then
 * three times more with one file in a hundred changed. Connections stay open, as at S3. The server keeps its marks of objects
 * where it does by default: the cheaper its part, the less of it is in each program's time.
 */
const { values } = parseArgs({
  options: {
    files: { type: "string", default: "100000" },
    only: { type: "string", default: "all" },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  process.stdout.write("npm run bench:export -- [--files 100000] [--only all|product]\n");
  process.exit(0);
}
const files = Number(values.files);
const say = (text: string) => process.stderr.write(`${text}\n`);
const directory = mkdtempSync(join(tmpdir(), "bench-export-"));
const at = (name: string) => join(directory, name);
const sites = at("sites");
const buckets = { ours: "bench-ours", aws: "bench-aws", rclone: "bench-rclone" };

const server = await startVersityGateway({ keepAlive: true, attributes: true });
try {
  const environment = {
    AWS_ACCESS_KEY_ID: server.accessKeyId,
    AWS_SECRET_ACCESS_KEY: server.secretAccessKey,
    AWS_REGION: server.region,
    AWS_DEFAULT_REGION: server.region,
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_CONFIG_FILE: "/dev/null",
    AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
  };
  Object.assign(process.env, environment);
  delete process.env.AWS_CA_BUNDLE; // rclone of today refuses to start with one
  const client = new S3Client({ endpoint: server.url, region: server.region, forcePathStyle: true });
  for (const Bucket of Object.values(buckets)) await client.send(new CreateBucketCommand({ Bucket }));
  writeFileSync(
    at("rclone.conf"),
    `[store]\ntype = s3\nprovider = Other\nenv_auth = true\nendpoint = ${server.url}\nregion = ${server.region}\nforce_path_style = true\n`,
  );
  say(`making ${files} files ...`);
  fillSites(sites, "openemr", { sqlMegabytes: 0, files });

  const aws = findTool("aws") ?? "aws";
  const s3 = { endpoint: server.url, bucket: buckets.ours, prefix: "analytics", region: server.region };
  const product = async (round: number): Promise<Measured> => {
    writeFileSync(at("request.json"), JSON.stringify({ sites, exportId: `20261127T040000Z-bench${round}xx`, s3 }));
    const program = join(repositoryRoot, "test/support/exportSitesInChild.ts");
    const measured = await shell(
      `exec ${process.execPath} --max-semi-space-size=2 ${program} < ${at("request.json")}`,
      { UV_THREADPOOL_SIZE: "8" },
    );
    const result = JSON.parse(measured.output) as { failed?: string; message?: string; uploaded: number };
    if (result.failed) throw new Error(result.message);
    say(`  uploaded ${result.uploaded}`);
    return measured;
  };
  const rivals: readonly (readonly [string, (round: number) => Promise<Measured>])[] = [
    [
      "aws s3 sync",
      () =>
        shell(
          `exec ${aws} --endpoint-url ${server.url} s3 sync --only-show-errors ${sites} s3://${buckets.aws}/analytics`,
        ),
    ],
    [
      "rclone sync",
      () => shell(`exec rclone --config ${at("rclone.conf")} sync ${sites} store:${buckets.rclone}/analytics`),
    ],
  ];
  const runs = [["openemr-ops", product] as const, ...(values.only === "product" ? [] : rivals)];

  const measured = new Map<string, Measured[]>();
  for (let round = 0; round <= again; round++) {
    if (round > 0)
      for (let index = 0; index < files; index += 100)
        fillSites(sites, "openemr", { sqlMegabytes: 0, files: 1 }, index);
    for (const [name, run] of runs) {
      execFileSync("sync"); // what the one before wrote is not written during this one
      const what = `${round === 0 ? "first" : "second"} ${name}`;
      say(`${what} ...`);
      const one = await run(round);
      say(`  ${one.seconds.toFixed(1)} s, ${one.cpuSeconds.toFixed(1)} s of the processor`);
      measured.set(what, [...(measured.get(what) ?? []), one]);
    }
  }
  const rows = ["first", "second"].flatMap((time) => {
    const [ours, ...others] = runs.map(([name]) => ({ name, ...middleOf(measured.get(`${time} ${name}`) ?? []) }));
    if (!ours) return [];
    return [ours, ...others].map(({ name, seconds, cpuSeconds, peakBytes }) => [
      ...[time, name, `${seconds.toFixed(1)} s`, `${(seconds / ours.seconds).toFixed(2)} x`],
      ...[`${cpuSeconds.toFixed(1)} s`, `${(cpuSeconds / ours.cpuSeconds).toFixed(2)} x`],
      `${(peakBytes / 2 ** 20).toFixed(0)} MiB`,
    ]);
  });
  const head = ["run", "what", "time", "time / ours", "processor", "processor / ours", "memory"];
  const lines = [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`);
  process.stdout.write(
    `\n${files} files; ${availableParallelism()} cores, ${(totalmem() / 2 ** 30).toFixed(0)} GiB; ${new Date().toISOString().slice(0, 10)}\n\n${lines.join("\n")}\n`,
  );
} finally {
  await server.stop();
  rmSync(directory, { recursive: true, force: true });
}
