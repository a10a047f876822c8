import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { buildEstate, type Estate } from "@openemr-ops/local/estate/buildEstate";
import { type MariaDb, startMariaDb } from "@openemr-ops/local/servers/mariadb";
import { type SlackServer, startSlackServer } from "@openemr-ops/local/servers/slack";
import { repositoryRoot, toolDirectories } from "@openemr-ops/local/tools/findTool";
import { type LocalCloud, startLocalCloud } from "@openemr-ops/local-cloud/startLocalCloud";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type EmptyAccount, startEmptyAccount } from "../support/guide/emptyAccount.ts";
import { type GuideBlock, guideBlocks } from "../support/guide/guideBlocks.ts";
import { createOpenEmrOnEcs } from "../support/guide/openEmrOnEcs.ts";
import { readersCheckout } from "../support/guide/readersCheckout.ts";
import { type ReadersShell, readersShell } from "../support/guide/readersShell.ts";
import { runtimesIn } from "../support/guide/runtimes.ts";

const account = "123456789012";
const region = "eu-central-1";
const read = (page: string) => readFile(join(repositoryRoot, page), "utf8");
const blocksOf = async (page: string) => guideBlocks(page, await read(page));

/** In the order in which a reader meets them: section 5 is a page of its own. */
const deployBlocks = await blocksOf("docs/deploy.md");
const imageAt = deployBlocks.findIndex(({ section }) => section.startsWith("6."));
const blocks = [
  ...deployBlocks.slice(0, imageAt),
  ...(await blocksOf("docs/image.md")),
  ...deployBlocks.slice(imageAt),
];

let directory: string;
const at = (...path: readonly string[]) => join(directory, ...path);
const checkout = () => at("openemr-ops");

let server: MariaDb;
let estate: Estate;
let slack: SlackServer;
let aws: EmptyAccount;
let shell: ReadersShell;
let cloud: LocalCloud | undefined;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "openemr-ops-guide-"));
  for (const name of ["home", "hospital", "openemr-ops"]) await mkdir(at(name));
  readersCheckout(checkout());
  server = await startMariaDb({
    directory: at("mariadb"),
    tls: true,
    extraArguments: ["--require-secure-transport=OFF"], // the hospital is built without it
  });
  const { host, port, user, password } = server;
  estate = await buildEstate({
    directory: at("hospital"),
    database: { host, port, user, password, name: "openemr" },
    seed: "guide",
    size: "tiny",
  });
  slack = await startSlackServer();
  aws = await startEmptyAccount({ account, region, database: { host, port } });
  await createOpenEmrOnEcs({ moto: aws.moto, region, database: { host, port, user, password } });
  // What the text asks for without a command.
  await writeFile(at("openemr-ops/slack.password"), "https://hooks.slack.com/services/T000/B000/canary\n");
  shell = readersShell(checkout(), {
    HOME: at("home"),
    PATH: [dirname(process.execPath), ...toolDirectories(process.env)].join(delimiter),
    ...aws.environment,
  });
});
afterAll(async () => {
  await shell?.[Symbol.asyncDispose]();
  await cloud?.[Symbol.asyncDispose]();
  await aws?.[Symbol.asyncDispose]();
  await slack?.[Symbol.asyncDispose]();
  await server?.stop();
  await rm(directory, { recursive: true, force: true });
});

/** Secrets Manager ends each ARN with six characters; the reader copies the ARNs. */
const withArns = async (words: string): Promise<string> => {
  const names = [...new Set([...words.matchAll(/"([\w/-]+)-AbCdEf"/g)].map(([, name = ""]) => name))];
  let text = words;
  for (const name of names) {
    const arn = await shell.type(`aws secretsmanager describe-secret --secret-id ${name} --query ARN --output text`);
    text = text.replaceAll(`${name}-AbCdEf`, arn.trim().split(":secret:")[1] ?? "");
  }
  return text;
};

/** Runs what was deployed, with this machine's server, files and Slack in their places. */
const startDeployed = async (): Promise<void> => {
  const here = (text: string): string => {
    const config: { readonly installations: readonly Record<string, object>[] } = JSON.parse(text);
    return JSON.stringify({
      ...config,
      installations: config.installations.map((one) => ({
        ...one,
        sites: { ...one.sites, path: estate.sitesPath },
        dumps: { ...one.dumps, pathStyle: true, drill: { directory: at("drills") } },
      })),
    });
  };
  cloud = await startLocalCloud({
    assembly: at("openemr-ops/.sst/dist"),
    directory: at("cloud"),
    moto: aws.moto,
    taskEnvironment: ({ OPENEMR_OPS_CONFIG_JSON: text = "{}" }) => ({ OPENEMR_OPS_CONFIG_JSON: here(text) }),
  });
  aws.deployed(cloud);
  await cloud.putSecret("openemr-ops/slack", slack.webhook);
};

/**
 * Ends the default retention of Object Lock after a look at it: to S3's stand-in our client sends no checksum, as to any server
 * that is not AWS, and Object Lock requires one.
 */
const liftObjectLock = async (): Promise<void> => {
  const lock = 'aws s3api get-object-lock-configuration --bucket "$BUCKET" --output text';
  expect(await shell.type(lock)).toContain("GOVERNANCE");
  await shell.type(
    'aws s3api put-object-lock-configuration --bucket "$BUCKET" --object-lock-configuration ObjectLockEnabled=Enabled',
  );
};

/** What Docker pushes. */
const pushImage = async (): Promise<void> => {
  await shell.type(
    `aws ecr put-image --repository-name openemr-ops-task --image-tag "$(git rev-parse --short HEAD)" --image-manifest '{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json"}'`,
  );
};

/** What the blocks printed, all together. */
let printed = "";
/** The names of the stacks that each block created, by the block's text. */
const stacksOf = new Map<string, readonly string[]>();

const perform = async ({ text, step }: GuideBlock): Promise<void> => {
  const before = aws.stacks.created.length;
  if (step.kind === "file") await writeFile(at("openemr-ops", step.name), await withArns(text));
  else printed += await shell.type(text);
  // What the text asks for without a command, or what stands in for a block that is not run.
  if (text.includes("put-object-lock-configuration")) await liftObjectLock();
  if (text.includes("aws ecr create-repository")) await pushImage();
  if (text.includes("npm run -s bootstrap")) await shell.type("npm run -s bootstrap"); // is safe to repeat
  if (text.startsWith("npx sst deploy")) await startDeployed();
  stacksOf.set(
    text,
    aws.stacks.created.slice(before).map(({ name }) => name),
  );
};

/** Stacks of the block that begins so. */
const stacksCreatedBy = (command: string): readonly string[] =>
  [...stacksOf].filter(([text]) => text.includes(command)).flatMap(([, names]) => names);

/** Messages that Slack got, in order. */
const messages = (): readonly string[] => slack.seen.map(({ body }) => String(body.text));

describe("the guide to a deployment", () => {
  const steps = blocks.filter(({ step }) => step.kind !== "not run");

  it("leaves out nothing but what needs Docker, a fresh clone or another machine", () => {
    const first = blocks.filter(({ step }) => step.kind === "not run").map(({ text }) => text.split("\n")[0]);
    expect(first).toEqual([
      "npm ci",
      "platform: { task: { memory: 4096, drill: { cpu: 2048, diskGiB: 200 } } },",
      'aws ecr get-login-password | docker login --username AWS --password-stdin "$REGISTRY"',
      'aws ecr get-login-password | podman login --username AWS --password-stdin "$REGISTRY"',
      "docker buildx imagetools inspect debian:bookworm-slim --format '{{.Manifest.Digest}}'",
      "docker run --rm --network host --read-only --tmpfs /tmp --cap-drop all --security-opt no-new-privileges \\",
      "sudo npm run test:image",
      '"endpoints": {',
    ]);
  });

  it.each(steps)("does what it says in the block at $page:$line", perform);

  it("shows what would be deployed without creating a stack, and prepares the account only where it says so", () => {
    expect(stacksCreatedBy("npm run -s bootstrap")).toEqual(["CDKToolkit", "OpenEmrOpsBootstrap"]);
    expect(stacksCreatedBy("npx sst deploy")).toEqual(
      ["ControlPlaneStack", "NotificationStack", "InstallationStack-clinic-a", "ObservabilityStack"].map(
        (name) => `production-openemr-ops-${name}`,
      ),
    );
  });

  it("asks AWS for nothing outside the region that it names", () => {
    const elsewhere = aws.calls.filter((call) => !call.endsWith(` ${region}`));
    expect(elsewhere).toEqual([]);
    expect(aws.calls.length).toBeGreaterThan(100);
  });

  it("creates functions in an account that had no bootstrap on one runtime alone, which Lambda still offers", () => {
    const used = new Set(aws.stacks.created.flatMap(({ template }) => runtimesIn(template)));
    expect([...used]).toEqual(["nodejs24.x"]);
  });

  it("ends with users, a dump and its drill, each in Slack, in order and once, and listed as jobs", async () => {
    await cloud?.idle();
    expect(messages().map((text) => text.replace(/ (is running|succeeded).*/, " $1"))).toEqual([
      "Preparation of database users of clinic-a is running",
      "Preparation of database users of clinic-a succeeded",
      "Dump of clinic-a is running",
      "Dump of clinic-a succeeded",
      "Restore drill of clinic-a is running",
      "Restore drill of clinic-a succeeded",
    ]);
    expect(printed).toMatch(/^.*\bdrill\b.*\bsucceeded\b.*\n.*\bdump\b.*\bsucceeded\b/m);
    expect(cloud?.deniedCalls()).toEqual([]);
  });

  it("leaves no stack of the stage when it is removed", () => {
    const left = aws.stacks.created.filter(
      ({ name, status }) => name.startsWith("production-") && status !== "DELETE_COMPLETE",
    );
    expect(left.map(({ name }) => name)).toEqual([]);
  });
});
