import { execFileSync } from "node:child_process";
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { repositoryRoot } from "@openemr-ops/local/tools/findTool";

/**
 * `npm run bench:functions`: how long each Lambda function takes to import, how much it reads for that, and what fills it. Bundles
 * are made with the settings of the deployment. Each import is in a process of its own; the fastest counts. Times are of the
 * processor, so that other work on the machine adds little.
 */
const { values } = parseArgs({
  options: { runs: { type: "string", default: "9" }, top: { type: "string", default: "5" } },
});

/** The one that SST bundles with. */
const esbuild = join(
  dirname(createRequire(join(repositoryRoot, "node_modules/sst/package.json")).resolve("esbuild")),
  "../bin/esbuild",
);

const environment = {
  PATH: process.env.PATH ?? "",
  NODE_OPTIONS: process.env.BENCH_NODE_OPTIONS ?? "--enable-source-maps",
  AWS_REGION: "us-east-1",
  OPENEMR_OPS_STAGE: "bench",
  OPENEMR_OPS_INSTALLATION: "clinic-a",
  OPENEMR_OPS_FORMAT: "restic",
  OPENEMR_OPS_DESTINATION: JSON.stringify({
    kind: "s3",
    bucket: "dumps",
    prefix: "",
    region: "us-east-1",
    pathStyle: false,
  }),
  OPENEMR_OPS_COPIES: "[]",
  OPENEMR_OPS_INSTALLATIONS: "clinic-a",
  OPENEMR_OPS_HEALTH: JSON.stringify({ url: "https://openemr.example.org/", tls: "verify" }),
};

interface Output {
  readonly bytes: number;
  readonly entryPoint?: string;
  readonly inputs: Readonly<Record<string, { readonly bytesInOutput: number }>>;
  readonly imports: readonly { readonly path: string; readonly kind: string }[];
}
interface Metafile {
  readonly outputs: Readonly<Record<string, Output>>;
}

/** The files that an import of the entry reads: not those that it may import later. */
const readAtStart = ({ outputs }: Metafile, entry: string): readonly Output[] => {
  const [start = ""] = Object.entries(outputs).find(([, { entryPoint }]) => entryPoint === entry) ?? [];
  const found = new Set([start]);
  for (const path of found)
    for (const { path: next, kind } of outputs[path]?.imports ?? [])
      if (kind === "import-statement" && outputs[next]) found.add(next);
  return [...found].flatMap((path) => outputs[path] ?? []);
};

/** A package of others by its name, a file of ours by its directory. */
const ownerOf = (input: string): string => {
  const [, inPackages] = /.*node_modules\/(.+)$/.exec(input) ?? [];
  if (inPackages === undefined) return dirname(input).split("/").slice(0, 2).join("/");
  return inPackages
    .split("/")
    .slice(0, inPackages.startsWith("@") ? 2 : 1)
    .join("/");
};

const largest = (outputs: readonly Output[], count: number): string => {
  const sizes = new Map<string, number>();
  for (const { inputs } of outputs)
    for (const [input, { bytesInOutput }] of Object.entries(inputs))
      sizes.set(ownerOf(input), (sizes.get(ownerOf(input)) ?? 0) + bytesInOutput);
  return [...sizes]
    .sort(([, one], [, other]) => other - one)
    .slice(0, count)
    .map(([name, bytes]) => `${name} ${Math.round(bytes / 1024)}`)
    .join(", ");
};

const bundle = (entry: string, directory: string): { readonly file: string; readonly metafile: Metafile } => {
  const outdir = join(directory, entry.replaceAll("/", "-").replace(/\.ts$/, ""));
  const file = join(outdir, basename(entry).replace(/\.ts$/, ".cjs"));
  const meta = `${outdir}.json`;
  execFileSync(
    esbuild,
    [
      entry,
      "--bundle",
      "--minify",
      "--format=cjs",
      "--platform=node",
      "--target=esnext",
      "--main-fields=module,main",
      "--keep-names",
      "--sourcemap",
      "--sources-content=false",
      "--out-extension:.js=.cjs",
      `--outdir=${outdir}`,
      `--metafile=${meta}`,
      "--log-level=error",
    ],
    { cwd: repositoryRoot, stdio: ["ignore", "ignore", "inherit"] },
  );
  return { file, metafile: JSON.parse(readFileSync(meta, "utf8")) };
};

const program =
  "const began = process.threadCpuUsage(); await import(process.argv[1]); const { user, system } = process.threadCpuUsage(began); console.log((user + system) / 1000); process.exit()";
const importMilliseconds = (file: string): number =>
  Number(
    execFileSync(process.execPath, ["--input-type=module", "--eval", program, file], {
      env: environment,
      encoding: "utf8",
    }),
  );

const directory = mkdtempSync(join(tmpdir(), "openemr-ops-functions-"));
try {
  mkdirSync(directory, { recursive: true });
  const entries = globSync("functions/{health,job,notify,schedule}/*.ts", { cwd: repositoryRoot })
    .filter((path) => basename(path) !== "config.ts")
    .sort();
  process.stdout.write("| function | import ms | KB | largest, KB |\n| --- | --- | --- | --- |\n");
  for (const entry of entries) {
    const { file, metafile } = bundle(entry, directory);
    const fastest = Math.min(...Array.from({ length: Number(values.runs) }, () => importMilliseconds(file)));
    const read = readAtStart(metafile, entry);
    const kilobytes = Math.round(read.reduce((sum, { bytes }) => sum + bytes, 0) / 1024);
    process.stdout.write(
      `| ${entry} | ${fastest.toFixed(0)} | ${kilobytes} | ${largest(read, Number(values.top))} |\n`,
    );
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}
