import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, inject, it } from "vitest";
import { resourcesOf, textOf } from "../../support/templates.ts";

const { prod, directory } = inject("synth");
const functions = resourcesOf(prod, "AWS::Lambda::Function").map(({ stack, id, resource: { Properties = {} } }) => ({
  name: `${stack} ${id.replace(/[0-9A-F]{8}$/, "")}`,
  properties: Properties,
}));

describe("functions", () => {
  it.each(functions)("$name runs Node 24 on ARM, traced, with a log of its own", ({ properties }) => {
    expect(properties).toMatchObject({
      Runtime: "nodejs24.x",
      Architectures: ["arm64"],
      TracingConfig: { Mode: "Active" },
      LoggingConfig: { LogGroup: { Ref: expect.stringMatching(/Log/) } },
    });
  });

  it.each(functions)("$name knows its stage", ({ properties }) => {
    expect(properties.Environment).toMatchObject({ Variables: { OPENEMR_OPS_STAGE: "prod" } });
  });

  it("that schedules call, and no others, know every installation of the configuration", () => {
    const knowing = functions.flatMap(({ name, properties }) => {
      const { Variables = {} } = properties.Environment as { readonly Variables?: Readonly<Record<string, string>> };
      const { OPENEMR_OPS_INSTALLATIONS: all } = Variables;
      return all === undefined ? [] : [{ name, all }];
    });
    expect(knowing).toEqual(
      ["Start", "FindOverdue"].map((name) => ({
        name: expect.stringMatching(`-ControlPlaneStack ${name}$`),
        all: "clinic-a,clinic-b",
      })),
    );
  });

  it("confirm looks at its own installation's place", () => {
    const confirms = functions
      .filter(({ name }) => name.endsWith(" Confirm"))
      .map(
        ({ properties }) =>
          (properties.Environment as { readonly Variables: Readonly<Record<string, string>> }).Variables,
      );
    expect(
      confirms.map(
        ({ OPENEMR_OPS_INSTALLATION: installation, OPENEMR_OPS_FORMAT: format, OPENEMR_OPS_DESTINATION }) => ({
          installation,
          format,
          destination: JSON.parse(OPENEMR_OPS_DESTINATION ?? ""),
        }),
      ),
    ).toEqual([
      {
        installation: "clinic-a",
        format: "restic",
        destination: {
          kind: "s3",
          bucket: "clinic-a-dumps",
          prefix: "openemr",
          region: "eu-central-1",
          pathStyle: false,
        },
      },
      {
        installation: "clinic-b",
        format: "portable",
        destination: {
          kind: "s3",
          bucket: "shared-dumps",
          prefix: "clinic-b",
          region: "eu-central-1",
          pathStyle: false,
        },
      },
    ]);
  });

  it("that nobody waits for leave what they could not do in a queue", () => {
    const left = functions
      .filter(({ properties }) => properties.DeadLetterConfig !== undefined)
      .map(({ name }) => name);
    expect(left.map((name) => name.split(" ")[1]).sort()).toEqual([
      "ExecutionEnded",
      "FindOverdue",
      "ForwardMail",
      "NotifySlack",
      "Start",
      "TaskStopped",
    ]);
  });

  it("are bundled with their maps, each below a megabyte and a half, with the tables of charsets below three, and nothing is installed beside them", () => {
    const bundles = readdirSync(directory).filter((name) =>
      readdirSync(directory, { withFileTypes: true }).some((entry) => entry.name === name && entry.isDirectory()),
    );
    const code = bundles.flatMap((bundle) =>
      readdirSync(join(directory, bundle), { recursive: true, encoding: "utf8" })
        .filter((file) => file.startsWith("functions") && file.endsWith(".cjs"))
        .map((file) => join(directory, bundle, file)),
    );
    expect(code.length).toBeGreaterThanOrEqual(9);
    for (const file of code) {
      const text = readFileSync(file, "utf8");
      expect(text.length, file).toBeLessThan(file.includes("forwardMail") ? 3_000_000 : 1_500_000);
      expect(text).toMatch(/\/\/# sourceMappingURL=/);
    }
    expect(bundles.filter((bundle) => readdirSync(join(directory, bundle)).includes("node_modules"))).toEqual([]);
  });
});

interface Container {
  readonly Environment: readonly { readonly Name: string; readonly Value: unknown }[];
  readonly MountPoints: readonly { readonly ContainerPath: string; readonly ReadOnly: boolean }[];
  readonly User?: string;
  readonly LinuxParameters?: { readonly Capabilities?: { readonly Drop?: readonly string[] } };
}

const sites = "/var/www/localhost/htdocs/openemr/sites";

describe("containers", () => {
  const definitions = resourcesOf(prod, "AWS::ECS::TaskDefinition").map(({ resource: { Properties = {} } }) => {
    const [container] = Properties.ContainerDefinitions as readonly [Container];
    return { family: textOf(Properties.Family), properties: Properties, container };
  });

  it.each(definitions)("$family has a read-only root and answers under one name", ({ container }) => {
    expect(container).toMatchObject({ Name: "task", ReadonlyRootFilesystem: true, StopTimeout: 120 });
  });

  it.each(definitions)("$family knows the configuration of its own installation alone", ({ family, container }) => {
    const { Value } = container.Environment.find(({ Name }) => Name === "OPENEMR_OPS_CONFIG_JSON") ?? {};
    const config: { readonly installations: readonly { readonly id: string }[] } = JSON.parse(textOf(Value));
    expect(config.installations.map(({ id }) => id)).toEqual([family.includes("-clinic-a-") ? "clinic-a" : "clinic-b"]);
    expect(config).not.toHaveProperty("notifications");
  });

  it.each(definitions)("$family mounts what it needs, and writes no more than it must", ({ family, container }) => {
    const mounts = container.MountPoints.map(
      ({ ContainerPath, ReadOnly }) => `${ContainerPath} ${ReadOnly ? "ro" : "rw"}`,
    );
    const [read, written] = [[`${sites} ro`], [`${sites} rw`]];
    const more: Readonly<Record<string, readonly string[]>> = {
      dump: read,
      users: read,
      restore: written,
      "export-sites": read,
      "rotate-database": written,
      "rotate-admin": read,
      "rotate-master": read,
      "rotate-smtp": read,
    };
    expect(mounts).toEqual(["/tmp rw", ...(more[family.replace(/^.*-clinic-[ab]-/, "")] ?? [])]);
  });

  it.each(definitions)(
    "$family is root only to restore and to replace sqlconf.php, then with what setting owners takes, and otherwise without any capability",
    ({ family, container }) => {
      if (/-(restore|rotate-database)$/.test(family)) {
        const { Drop: dropped = [] } = container.LinuxParameters?.Capabilities ?? {};
        expect(container.User).toBe("0");
        expect(dropped).toEqual(expect.arrayContaining(["SETUID", "SETGID", "MKNOD", "NET_RAW", "SYS_CHROOT"]));
        for (const kept of ["CHOWN", "DAC_OVERRIDE", "FOWNER"]) expect(dropped).not.toContain(kept);
      } else expect(container).toMatchObject({ LinuxParameters: { Capabilities: { Drop: ["ALL"] } } });
    },
  );

  it.each(definitions)("$family fits Fargate", ({ properties }) => {
    expect(properties).toMatchObject({
      RequiresCompatibilities: ["FARGATE"],
      NetworkMode: "awsvpc",
      RuntimePlatform: { OperatingSystemFamily: "LINUX" },
    });
  });
});
