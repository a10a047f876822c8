import { describe, expect, inject, it } from "vitest";
import { resourcesOf } from "../../support/templates.ts";

const { prod } = inject("synth");

/** Size, processor and restic's memory of each task of an installation, by its kind. */
const sizesOf = (installation: string) =>
  Object.fromEntries(
    resourcesOf(
      prod.filter(({ name }) => name.endsWith(installation)),
      "AWS::ECS::TaskDefinition",
    ).map(({ resource: { Properties = {} } }) => {
      const { Cpu, Memory, EphemeralStorage, RuntimePlatform, ContainerDefinitions, Family } = Properties as {
        Cpu: string;
        Memory: string;
        Family: string;
        EphemeralStorage: { SizeInGiB: number };
        RuntimePlatform: { CpuArchitecture: string };
        ContainerDefinitions: { Environment: { Name: string; Value: string }[] }[];
      };
      const restic = ContainerDefinitions[0]?.Environment.find(({ Name }) => Name === "GOMEMLIMIT")?.Value;
      const size = [Cpu, Memory, EphemeralStorage.SizeInGiB, RuntimePlatform.CpuArchitecture, restic];
      return [Family.replace(/^.*-clinic-[ab]-/, ""), size.join(" ")];
    }),
  );

describe("tasks", () => {
  it("have a size by their kind when nothing is said", () => {
    expect(sizesOf("clinic-a")).toEqual({
      dump: "1024 2048 30 ARM64 1024MiB",
      copy: "1024 2048 30 ARM64 1024MiB",
      retention: "1024 2048 30 ARM64 1024MiB",
      users: "1024 2048 30 ARM64 1024MiB",
      drill: "1024 2048 50 ARM64 1024MiB",
      report: "1024 2048 30 ARM64 1024MiB",
      restore: "1024 2048 50 ARM64 1024MiB",
      "copy-retention": "1024 2048 30 ARM64 1024MiB",
      "export-database": "1024 2048 21 ARM64 1024MiB",
      "export-sites": "1024 2048 21 ARM64 1024MiB",
      "rotate-database": "1024 2048 30 ARM64 1024MiB",
      "rotate-admin": "1024 2048 30 ARM64 1024MiB",
      "rotate-master": "1024 2048 30 ARM64 1024MiB",
      "rotate-smtp": "1024 2048 30 ARM64 1024MiB",
    });
  });

  it("have the size and the processors that the configuration says", () => {
    expect(sizesOf("clinic-b")).toEqual({
      dump: "2048 8192 30 X86_64 4096MiB",
      retention: "1024 2048 30 X86_64 1024MiB",
      drill: "1024 2048 200 X86_64 1024MiB",
      report: "1024 2048 30 X86_64 1024MiB",
      restore: "1024 2048 200 X86_64 1024MiB",
    });
  });
});
