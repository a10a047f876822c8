import * as field from "../fields.ts";
import { type Complain, complain, onAnyObject } from "../rules.ts";
import { strict } from "../strict.ts";

/** Kinds of tasks that may have a size of their own. A check runs as a drill does. */
export const sizedTasks = ["dump", "copy", "retention", "drill", "restore", "exportDatabase", "exportSites"] as const;
export type SizedTask = (typeof sizedTasks)[number];

/** Memory that Fargate offers, in MiB, by units of CPU. Source: Amazon ECS developer guide, "Task size". */
const fargateMemory: Readonly<
  Record<number, { readonly least: number; readonly most: number; readonly step: number }>
> = {
  256: { least: 512, most: 2048, step: 512 },
  512: { least: 1024, most: 4096, step: 1024 },
  1024: { least: 2048, most: 8192, step: 1024 },
  2048: { least: 4096, most: 16_384, step: 1024 },
  4096: { least: 8192, most: 30_720, step: 1024 },
  8192: { least: 16_384, most: 61_440, step: 4096 },
  16384: { least: 32_768, most: 122_880, step: 8192 },
};

const defaultCpu = 1024;
const defaultMemory = 2048;
/** GiB. A drill and a restore hold what they load; the others caches alone, and exports nothing: they get the least. */
const defaultDisk: Readonly<Record<SizedTask, number>> = {
  dump: 30,
  copy: 30,
  retention: 30,
  drill: 50,
  restore: 50,
  exportDatabase: 21,
  exportSites: 21,
};

const size = {
  /** Units; 1024 are one processor. */
  cpu: field.taskCpu.optional(),
  /** MiB. */
  memory: field.taskMemory.optional(),
  /** The container's own disk. */
  diskGiB: field.taskDisk.optional(),
};
type WrittenSize = { readonly [Name in keyof typeof size]?: number | undefined };

const written = strict({
  ...size,
  architecture: field.taskArchitecture.default("ARM64"),
  dump: strict(size).optional(),
  copy: strict(size).optional(),
  retention: strict(size).optional(),
  drill: strict(size).optional(),
  restore: strict(size).optional(),
  exportDatabase: strict(size).optional(),
  exportSites: strict(size).optional(),
});

type WrittenTask = WrittenSize & Partial<Record<SizedTask, WrittenSize | undefined>>;

const memoryFor = (cpu: number): number => Math.max(fargateMemory[cpu]?.least ?? 0, defaultMemory);

/** What one kind of task gets: its own size before the common one before the default. MiB, GiB. */
export const taskSizeOf = (task: WrittenTask | undefined, kind: SizedTask) => {
  const own = task?.[kind];
  const cpu = own?.cpu ?? task?.cpu ?? defaultCpu;
  return {
    cpu,
    memory: own?.memory ?? (own?.cpu === undefined ? task?.memory : undefined) ?? memoryFor(cpu),
    diskGiB: own?.diskGiB ?? task?.diskGiB ?? defaultDisk[kind],
  };
};

const offered = (task: WrittenTask, context: Complain): void => {
  const told = new Set<string>();
  for (const kind of sizedTasks) {
    const { cpu, memory } = taskSizeOf(task, kind);
    const range = fargateMemory[cpu];
    if (!range || typeof memory !== "number") continue; // the field says so itself
    const { least, most, step } = range;
    if (memory >= least && memory <= most && memory % step === 0) continue;
    const own = task[kind];
    const path = own?.memory !== undefined || own?.cpu !== undefined ? [kind, "memory"] : ["memory"];
    if (told.has(path.join("."))) continue;
    told.add(path.join("."));
    complain(
      context,
      path,
      `is ${memory} MiB, which Fargate does not offer with cpu ${cpu}; expected ${least} to ${most} in steps of ${step}`,
    );
  }
};

/** How large tasks are on Fargate, and on which processors they run. */
export const taskShape = written.superRefine(offered, onAnyObject);
