import { loadConfig } from "@openemr-ops/core/config/load";
import { taskSizeOf } from "@openemr-ops/core/config/sections/taskSize";
import { InvalidInputError } from "@openemr-ops/core/errors";
import { describe, expect, it } from "vitest";
import { aConfig, aConfigDirectory, anInstallation, type WrittenInstallation } from "../../support/configuration.ts";

const loadWith = async (task: object) => {
  await using directory = await aConfigDirectory();
  const platform = { kind: "ecs", cluster: "c", service: "s", task } as WrittenInstallation["platform"];
  return await loadConfig(await directory.write(aConfig(anInstallation({ platform }))));
};

describe("the size of tasks", () => {
  it.each([
    { what: "nothing is said", task: undefined, dump: [1024, 2048, 30], drill: [1024, 2048, 50] },
    {
      what: "one is for all",
      task: { cpu: 2048, memory: 8192, diskGiB: 80 },
      dump: [2048, 8192, 80],
      drill: [2048, 8192, 80],
    },
    {
      what: "a drill has its own disk",
      task: { drill: { diskGiB: 200 } },
      dump: [1024, 2048, 30],
      drill: [1024, 2048, 200],
    },
    {
      what: "a drill has its own processors",
      task: { memory: 3072, drill: { cpu: 4096 } },
      dump: [1024, 3072, 30],
      drill: [4096, 8192, 50],
    },
  ])("is complete when $what", ({ task, dump, drill }) => {
    expect(Object.values(taskSizeOf(task, "dump"))).toEqual(dump);
    expect(Object.values(taskSizeOf(task, "drill"))).toEqual(drill);
  });

  it.each([
    { task: { cpu: 256, memory: 512 } },
    { task: { cpu: 4096, memory: 30_720 } },
    { task: { cpu: 8192, memory: 20_480, dump: { cpu: 16_384, memory: 122_880 } } },
    { task: { architecture: "X86_64", diskGiB: 21, restore: { diskGiB: 200 } } },
  ])("is taken as Fargate offers it: $task", async ({ task }) => {
    expect((await loadWith(task)).installations[0]?.platform).toMatchObject({ task });
  });

  it.each([
    { task: { cpu: 1000 }, path: "cpu", says: /expected 256, 512, 1024/ },
    { task: { cpu: 256, memory: 4096 }, path: "memory", says: /cpu 256; expected 512 to 2048 in steps of 512/ },
    { task: { cpu: 1024, memory: 2500 }, path: "memory", says: /2500 MiB.*2048 to 8192 in steps of 1024/ },
    { task: { cpu: 8192, memory: 18_432 }, path: "memory", says: /16384 to 61440 in steps of 4096/ },
    { task: { drill: { memory: 16_384 } }, path: "drill.memory", says: /cpu 1024; expected 2048 to 8192/ },
    { task: { diskGiB: 201 }, path: "diskGiB", says: /from 21 to 200/ },
    { task: { dump: { diskGiB: 20 } }, path: "dump.diskGiB", says: /from 21 to 200/ },
    { task: { architecture: "RISC" }, path: "architecture", says: /X86_64 or ARM64/ },
    { task: { check: {} }, path: "check", says: /unknown setting/ },
  ])("is refused by its field: $task", async ({ task, path, says }) => {
    const error = await loadWith(task).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(InvalidInputError);
    const { issues } = error as InvalidInputError;
    expect(issues.map((issue) => issue.path)).toEqual([`installations[0].platform.task.${path}`]);
    expect(issues[0]?.message).toMatch(says);
  });
});
