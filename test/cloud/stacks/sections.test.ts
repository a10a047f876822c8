import { expect, it } from "vitest";
import { sampleStacks } from "../../support/sampleStacks.ts";

it("makes what a section needs only where the installation has it", { timeout: 300_000 }, async () => {
  const config: { installations: Record<string, unknown>[] } = JSON.parse(await readFile(sampleConfigPath, "utf8"));
  const [first] = config.installations;
  const {
    dumps: _,
    exports: _____,
    health: __,
    users: ____,
    schedules: ___,
    rotations: ______,
    mail: _______,
    ...withoutSections
  } = first ?? {};
  const outdir = await mkdtemp(join(tmpdir(), "openemr-ops-sections-"));
  try {
    const { stacks } = await synthesize({
      config: await loadConfigText(JSON.stringify({ ...config, installations: [withoutSections] }), {
        from: "test",
        directory: "/etc/openemr-ops",
      }),
      stage: "prod",
      region: "eu-central-1",
      account: "123456789012",
      outdir,
      imageUri: "123456789012.dkr.ecr.eu-central-1.amazonaws.com/openemr-ops@sha256:0",
    });
    const own = stacks.find(({ name }) => name.includes("InstallationStack"));
    const types = Object.values(own?.template.Resources ?? {}).map(({ Type }) => Type);
    expect(types).toContain("AWS::Logs::LogGroup");
    for (const type of [
      "ECS::TaskDefinition",
      "StepFunctions::StateMachine",
      "Lambda::Function",
      "Scheduler::Schedule",
    ])
      expect(types).not.toContain(`AWS::${type}`);
    const dashboards = stacks.flatMap(({ template }) => JSON.stringify(template.Resources));
    expect(dashboards.join("")).not.toContain("SUM([])");
  } finally {
    await rm(outdir, { recursive: true, force: true });
  }
});
