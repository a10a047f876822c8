import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Podman } from "@openemr-ops/local/image/podman";

/** A process of a container, as the kernel shows it from outside. */
export interface SeenProcess {
  readonly program: string;
  readonly uid: number;
  /** Effective and permitted rights beyond an ordinary user's; bits as in `capabilities(7)`. */
  readonly capabilities: bigint;
  /** No program that it starts can get more rights. */
  readonly noNewPrivileges: boolean;
  readonly rootReadOnly: boolean;
}

/** What a container did, said and was. */
export interface ContainerRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly processes: readonly SeenProcess[];
  /** All that `podman inspect` tells about it. */
  readonly inspected: string;
  readonly seconds: number;
}

export interface ContainerPlan {
  readonly image: string;
  /** As the image says when left out. */
  readonly user?: string;
  /** Rights that root keeps; without any all are dropped. */
  readonly capabilities?: readonly string[];
  /** Directory in the container → directory of this machine. */
  readonly readable?: Readonly<Record<string, string>>;
  readonly writable?: Readonly<Record<string, string>>;
  readonly environment?: Readonly<Record<string, string>>;
  /** In place of the image's entry point. */
  readonly command?: readonly string[];
  /** Asked to stop (SIGTERM) as soon as the log holds this. */
  readonly stopAt?: string;
}

const read = (path: string): string => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // the process is gone
  }
};

const look = (pid: number): SeenProcess | undefined => {
  const status = read(`/proc/${pid}/status`);
  const field = (name: string) => new RegExp(`^${name}:\\s*(\\S+)`, "m").exec(status)?.[1];
  const root = read(`/proc/${pid}/mountinfo`)
    .split("\n")
    .find((line) => line.split(" ")[4] === "/");
  try {
    const program = readlinkSync(`/proc/${pid}/exe`);
    if (!status || !root) return undefined;
    return {
      program,
      uid: Number(field("Uid")),
      capabilities: BigInt(`0x${field("CapEff")}`) | BigInt(`0x${field("CapPrm")}`),
      noNewPrivileges: field("NoNewPrivs") === "1",
      rootReadOnly: root.split(" ")[5]?.split(",").includes("ro") ?? false,
    };
  } catch {
    return undefined;
  }
};

const descendants = (pid: number): readonly number[] => {
  let threads: readonly string[] = [];
  try {
    threads = readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
  const children = threads.flatMap((thread) => read(`/proc/${pid}/task/${thread}/children`).split(" ").filter(Boolean));
  return [pid, ...children.flatMap((child) => descendants(Number(child)))];
};

/**
 * Runs a container as a task definition runs it: root file system read-only, `/tmp` to write, no rights but the given
 * ones, this machine's network; and watches its processes until it ends.
 */
export const runContainer = async (podman: Podman, plan: ContainerPlan): Promise<ContainerRun> => {
  const { image, user, capabilities = [], readable = {}, writable = {}, environment = {}, command, stopAt } = plan;
  const name = `openemr-ops-${randomBytes(6).toString("hex")}`;
  const [entry, ...rest] = command ?? [];
  const args = [
    ...["create", "--name", name, "--network", "host", "--pull", "never"],
    ...["--read-only", "--read-only-tmpfs=false", "--tmpfs", "/tmp:mode=1777"],
    ...["--cap-drop", "all", ...capabilities.flatMap((right) => ["--cap-add", right])],
    ...["--security-opt", "no-new-privileges"],
    ...(user === undefined ? [] : ["--user", user]),
    ...Object.entries(readable).flatMap(([inside, outside]) => ["--volume", `${outside}:${inside}:ro`]),
    ...Object.entries(writable).flatMap(([inside, outside]) => ["--volume", `${outside}:${inside}`]),
    ...Object.entries(environment).flatMap(([variable, value]) => ["--env", `${variable}=${value}`]),
    ...(entry === undefined ? [] : ["--entrypoint", entry]),
    image,
    ...rest,
  ];
  await podman.run(args);
  try {
    const started = Date.now();
    let ended = false;
    const run = podman.attempt(["start", "--attach", name]).finally(() => {
      ended = true;
    });
    let pid = 0;
    let stopped = stopAt === undefined;
    const seen = new Map<string, SeenProcess>();
    while (!ended) {
      if (pid === 0) pid = Number(await podman.run(["inspect", "--format", "{{.State.Pid}}", name]));
      for (const one of pid === 0 ? [] : descendants(pid)) {
        const process = look(one);
        if (process) seen.set(Object.values(process).join(" "), process);
      }
      if (!stopped && (await podman.attempt(["logs", name])).stderr.includes(stopAt ?? "")) {
        await podman.attempt(["kill", "--signal", "TERM", name]);
        stopped = true;
      }
      await sleep(15);
    }
    const { code, stdout, stderr } = await run;
    const seconds = (Date.now() - started) / 1000;
    const inspected = await podman.run(["inspect", name]);
    return { code, stdout, stderr, processes: [...seen.values()], inspected, seconds };
  } finally {
    await podman.run(["rm", "--force", "--volumes", name]);
  }
};
