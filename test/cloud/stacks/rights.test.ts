import { describe, expect, inject, it } from "vitest";
import { resourcesOf, rightsOf, type Statement, textOf } from "../../support/templates.ts";

const { prod, developer } = inject("synth");
const clinicA = "InstallationStack-clinic-a";
const clinicB = "InstallationStack-clinic-b";
const tasks = ["Dump", "Retention", "Drill", "Report", "Restore", "Copy", "CopyRetention"];

const resourcesFor = (rights: readonly Statement[], action: string): readonly string[] =>
  rights.filter(({ actions }) => actions.includes(action)).flatMap(({ resources }) => resources);

const secretsOf = (stack: string, role: string): readonly string[] =>
  resourcesFor(rightsOf(prod, stack, role), "secretsmanager:GetSecretValue").map((arn) =>
    arn.replace(/^.*:secret:/, ""),
  );

/** Roles of which a policy names this. */
const rolesNaming = (text: string): readonly string[] =>
  resourcesOf(prod, "AWS::IAM::Policy")
    .filter(({ resource }) => JSON.stringify(resource).includes(text))
    .map(({ id }) => id.replace(/DefaultPolicy[0-9A-F]{8}$/, ""));

describe("who may read which secret", () => {
  it.each([
    { role: "DumpRole", secrets: ["clinic-a/dump-user-AaBbCc", "clinic-a/repository-GgHhIi"] },
    { role: "RetentionRole", secrets: ["clinic-a/repository-GgHhIi"] },
    { role: "DrillRole", secrets: ["clinic-a/repository-GgHhIi"] },
    { role: "ReportRole", secrets: ["clinic-a/repository-GgHhIi"] },
    {
      role: "RestoreRole",
      secrets: ["clinic-a/dump-user-AaBbCc", "clinic-a/restore-user-DdEeFf", "clinic-a/repository-GgHhIi"],
    },
    { role: "ConfirmRole", secrets: [] },
    { role: "CopyRole", secrets: ["clinic-a/repository-GgHhIi"] },
    { role: "CopyRetentionRole", secrets: ["clinic-a/repository-GgHhIi"] },
    { role: "ConfirmCopyRole", secrets: [] },
    { role: "ExportDatabaseTaskRole", secrets: ["clinic-a/dump-user-AaBbCc", "clinic-a/pseudonym-key-SsTtUu"] },
    { role: "ExportSitesTaskRole", secrets: [] },
    { role: "EFStoS3ExportRole", secrets: [] },
    { role: "RDStoS3ExportRole", secrets: [] },
    { role: "ExportStatusRole", secrets: [] },
    { role: "NotebookRole", secrets: [] },
  ])("$role of clinic-a reads $secrets", ({ role, secrets }) => {
    expect(secretsOf(clinicA, role)).toEqual(secrets);
  });

  it.each([
    { role: "DumpRole", secrets: ["clinic-b/dump-user-JjKkLl", "clinic-b/seal-key-MmNnOo"] },
    { role: "RetentionRole", secrets: ["clinic-b/seal-key-MmNnOo"] },
    { role: "DrillRole", secrets: ["clinic-b/seal-key-MmNnOo"] },
    { role: "ReportRole", secrets: ["clinic-b/seal-key-MmNnOo"] },
    { role: "RestoreRole", secrets: ["clinic-b/dump-user-JjKkLl", "clinic-b/seal-key-MmNnOo"] },
    { role: "ConfirmRole", secrets: [] },
  ])("$role of clinic-b, whose portable dumps are sealed, reads $secrets", ({ role, secrets }) => {
    expect(secretsOf(clinicB, role)).toEqual(secrets);
  });

  it("tasks that make or change database users read the administrator's, which no other role reads", () => {
    const administrator = "clinic-a/administrator-PpQqRr";
    const changing = ["RotateDatabaseTaskRole", "RotateMasterTaskRole", "UsersRole"];
    const own = [administrator, "clinic-a/dump-user-AaBbCc", "clinic-a/restore-user-DdEeFf"];
    expect(secretsOf(clinicA, "UsersRole")).toEqual(own);
    expect([...rolesNaming(administrator)].sort()).toEqual(changing);
  });

  it("the function that Secrets Manager calls starts one workflow, and makes no version the current one", () => {
    const rights = rightsOf(prod, clinicA, "RotateSecretRole").filter(
      ({ actions }) => !/^(logs|xray|kms):/.test(`${actions[0]}`),
    );
    const workflow =
      "arn:aws:states:eu-central-1:123456789012:stateMachine:openemr-ops-prod-clinic-a-RotateDatabaseCredential";
    const slots = expect.stringMatching(/:secret:clinic-a\/slots-UuVvWw$/);
    expect(rights.map(({ actions, resources }) => ({ actions, resources }))).toEqual([
      { actions: ["states:StartExecution"], resources: [workflow] },
      { actions: ["states:DescribeExecution"], resources: [`${workflow.replace(":stateMachine:", ":execution:")}:*`] },
      { actions: ["secretsmanager:GetSecretValue"], resources: [slots] },
      { actions: ["secretsmanager:DescribeSecret", "secretsmanager:PutSecretValue"], resources: [slots] },
    ]);
  });

  it("Secrets Manager calls it for that secret of this account alone, and nobody else may", () => {
    const permissions = resourcesOf(prod, "AWS::Lambda::Permission").filter(({ resource }) =>
      JSON.stringify(resource).includes('"RotateSecret'),
    );
    expect(
      permissions.map(({ resource: { Properties = {} } }) => ({ ...Properties, FunctionName: undefined })),
    ).toEqual([
      {
        Action: "lambda:InvokeFunction",
        Principal: "secretsmanager.amazonaws.com",
        SourceAccount: "123456789012",
        SourceArn: "arn:aws:secretsmanager:eu-central-1:123456789012:secret:clinic-a/slots-UuVvWw",
      },
    ]);
  });

  it.each([
    { role: "UsersRole", writes: ["clinic-a/dump-user-AaBbCc", "clinic-a/restore-user-DdEeFf"] },
    { role: "RotateDatabaseTaskRole", writes: ["clinic-a/slots-UuVvWw"] },
    { role: "RotateAdminTaskRole", writes: ["clinic-a/openemr-admin-XxYyZz"] },
    { role: "RotateSmtpTaskRole", writes: ["clinic-a/smtp-BbCcDd", "clinic-a/secret-access-key-EeFfGg"] },
  ])("$role writes passwords of its own users alone, and deletes none", ({ role, writes }) => {
    const rights = rightsOf(prod, clinicA, role);
    const written = resourcesFor(rights, "secretsmanager:PutSecretValue").map((arn) => arn.replace(/^.*:secret:/, ""));
    expect(written).toEqual(writes);
    const actions = rights.flatMap((right) => right.actions).filter((action) => action.startsWith("secretsmanager:"));
    expect(actions.sort()).toEqual(
      ["DescribeSecret", "GetSecretValue", "PutSecretValue", "UpdateSecretVersionStage"].map(
        (action) => `secretsmanager:${action}`,
      ),
    );
  });

  it("no other role writes any, but who changes the master password: its own, or as RDS does for that cluster", () => {
    expect([...rolesNaming("secretsmanager:PutSecretValue")].sort()).toEqual([
      "RotateAdminTaskRole",
      "RotateDatabaseTaskRole",
      "RotateMasterTaskRole",
      "RotateSecretRole",
      "RotateSmtpTaskRole",
      "UsersRole",
    ]);
    const rights = rightsOf(prod, clinicA, "RotateMasterTaskRole");
    expect(resourcesFor(rights, "secretsmanager:PutSecretValue")).toEqual([
      expect.stringContaining(":secret:clinic-a/administrator-PpQqRr"),
    ]);
    const ofRds = rights.find(({ actions }) => actions.includes("secretsmanager:RotateSecret"));
    expect(JSON.stringify(ofRds?.condition)).toContain("cluster:clinic-a");
    expect(resourcesFor(rights, "rds:ModifyDBCluster")).toEqual([expect.stringMatching(/:cluster:clinic-a$/)]);
    expect(rolesNaming("rds:ModifyDBCluster")).toEqual(["RotateMasterTaskRole"]);
  });

  it("access keys of one IAM user are one task's, which reads and writes one parameter beside", () => {
    const rights = rightsOf(prod, clinicA, "RotateSmtpTaskRole");
    const ofIam = rights.filter(({ actions }) => actions.some((action) => action.startsWith("iam:")));
    expect(ofIam.map(({ actions, resources }) => ({ actions, resources }))).toEqual([
      {
        actions: ["Create", "Delete", "List", "Update"]
          .map((verb) => `iam:${verb}AccessKey${verb === "List" ? "s" : ""}`)
          .toSpliced(2, 0, "iam:GetAccessKeyLastUsed"),
        resources: [
          "arn:aws:iam::123456789012:user/clinic-a-smtp",
          "arn:aws:iam::123456789012:user/*/clinic-a-smtp", // a user's name is unique whatever its path
        ],
      },
    ]);
    expect([...rolesNaming("iam:CreateAccessKey"), ...rolesNaming("ssm:PutParameter")]).toEqual([
      "RotateSmtpTaskRole",
      "RotateSmtpTaskRole",
    ]);
    const ofSsm = rights.filter(({ actions }) => actions.some((action) => action.startsWith("ssm:")));
    expect(ofSsm.flatMap(({ resources }) => resources)).toEqual([
      "arn:aws:ssm:eu-central-1:123456789012:parameter/clinic-a/smtp_user",
    ]);
  });

  it.each(["Begin", "Finish", "Fail", "ExecutionEnded", "TaskStopped", "Start", "FindOverdue"])(
    "the function %s reads none",
    (name) => {
      expect(secretsOf("ControlPlaneStack", `${name}Role`)).toEqual([]);
    },
  );

  it("telling Slack reads Slack's alone", () => {
    expect(secretsOf("NotificationStack", "NotifySlackRole")).toEqual(["openemr-ops/slack-Qw3rTy"]);
  });
});

describe("who may touch dumps", () => {
  it("deleting them is for retention alone; others remove what restic locks with", () => {
    const deletable = tasks.map((task) => resourcesFor(rightsOf(prod, clinicA, `${task}Role`), "s3:DeleteObject"));
    const locks = "arn:aws:s3:::clinic-a-dumps/openemr/locks/*";
    const ofCopy = "arn:aws:s3:::clinic-a-copies/openemr/locks/*";
    expect(deletable).toEqual([
      [locks],
      ["arn:aws:s3:::clinic-a-dumps/openemr/*"],
      [locks, ofCopy],
      [],
      [locks, ofCopy],
      [ofCopy],
      ["arn:aws:s3:::clinic-a-copies/openemr/*"],
    ]);
  });

  it("copying reads the first store, and writes at the copy", () => {
    const rights = rightsOf(prod, clinicA, "CopyRole").filter(({ actions }) => actions.some((one) => /^s3:/.test(one)));
    const at = (place: string) =>
      rights
        .filter(({ resources }) => resources.some((resource) => resource.includes(place)))
        .flatMap(({ actions }) => actions)
        .sort();
    const reading = ["s3:GetBucketLocation", "s3:GetObject", "s3:ListBucket"];
    expect(at("clinic-a-dumps")).toEqual(reading);
    const writing = ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:ListMultipartUploadParts"];
    expect(at("clinic-a-copies")).toEqual([...writing, "s3:PutObject", "s3:PutObject", ...reading].sort());
  });

  it("a report writes below reports/ alone, and reads of exports what they say of themselves", () => {
    const rights = rightsOf(prod, clinicA, "ReportRole");
    const exports = "arn:aws:s3:::sagemaker-clinic-a/analytics";
    expect(resourcesFor(rights, "s3:PutObject")).toEqual(["arn:aws:s3:::clinic-a-dumps/openemr/reports/*"]);
    expect(resourcesFor(rights, "s3:GetObject")).toEqual([
      "arn:aws:s3:::clinic-a-dumps/openemr/*",
      "arn:aws:s3:::clinic-a-copies/openemr/*",
      `${exports}/database/*/_manifest.json`,
      `${exports}/sites/_SUCCESS`,
      `${exports}/sites/_INCOMPLETE`,
    ]);
    expect(JSON.stringify(rights)).not.toMatch(/elasticfilesystem|s3:DeleteObject|MultipartUpload/);
  });

  it.each(["CopyRetention", "ConfirmCopy"])("%s has no right at the first store", (name) => {
    const named = JSON.stringify(rightsOf(prod, clinicA, `${name}Role`));
    expect(named).toContain("clinic-a-copies");
    expect(named).not.toContain("clinic-a-dumps");
  });

  it.each(["Dump", "Retention", "Confirm", "Health"])("%s has no right at a copy", (name) => {
    expect(JSON.stringify(rightsOf(prod, clinicA, `${name}Role`))).not.toContain("clinic-a-copies");
  });

  it("no role deletes versions, changes Object Lock or the bucket", () => {
    const actions = resourcesOf(prod, "AWS::IAM::Policy").flatMap(({ resource }) =>
      [...JSON.stringify(resource).matchAll(/"(s3:[A-Z*][A-Za-z*]*)"/g)].map(([, action]) => action),
    );
    expect([...new Set(actions)].sort()).toEqual([
      "s3:AbortMultipartUpload",
      "s3:DeleteObject",
      "s3:GetBucketLocation",
      "s3:GetObject",
      "s3:ListBucket",
      "s3:ListMultipartUploadParts",
      "s3:PutObject",
    ]);
  });

  it("confirming only reads, below the installation's own prefix", () => {
    const rights = rightsOf(prod, clinicB, "ConfirmRole");
    const actions = rights.flatMap((right) => right.actions).filter((action) => action.startsWith("s3:"));
    expect(actions.sort()).toEqual(["s3:GetBucketLocation", "s3:GetObject", "s3:ListBucket"]);
    expect(rights.find((right) => right.actions.includes("s3:ListBucket"))?.condition).toEqual({
      StringLike: { "s3:prefix": ["clinic-b/*"] },
    });
  });
});

describe("who looks at the health of an installation", () => {
  it("lists the names of its own dumps, and has no other right on anything of it", () => {
    const rights = rightsOf(prod, clinicA, "HealthRole");
    const actions = rights.flatMap((right) => right.actions).filter((action) => !/^(logs|xray):/.test(action));
    expect(actions.sort()).toEqual(["s3:GetBucketLocation", "s3:ListBucket"]);
    expect(rights.find((right) => right.actions.includes("s3:ListBucket"))?.condition).toEqual({
      StringLike: { "s3:prefix": ["openemr/*"] },
    });
  });

  it("is called by its own workflow alone, and is there only where the installation has the section", () => {
    const callers = resourcesOf(prod, "AWS::IAM::Policy").filter(({ resource }) =>
      JSON.stringify(resource.Properties).includes('"Health'),
    );
    expect(callers.map(({ id }) => id.replace(/DefaultPolicy.*$/, "")).filter((id) => id !== "HealthRole")).toEqual([
      "CheckHealthRole",
    ]);
  });
});

describe("who deploys OpenEMR anew", () => {
  it("is one function for its own service, which another watches; no role changes what the service runs otherwise", () => {
    expect(rolesNaming("ecs:UpdateService")).toEqual(["StartDeploymentRole"]);
    const service = "arn:aws:ecs:eu-central-1:123456789012:service/clinic-a/openemr";
    expect(resourcesFor(rightsOf(prod, clinicA, "StartDeploymentRole"), "ecs:UpdateService")).toEqual([service]);
    for (const role of ["StartDeploymentRole", "FollowDeploymentRole", "RotateDatabaseTaskRole"])
      expect(resourcesFor(rightsOf(prod, clinicA, role), "ecs:DescribeServices")).toEqual([service]);
    const acting = rightsOf(prod, clinicA, "RedeployedRole").flatMap(({ actions }) => actions);
    expect(acting.filter((action) => !/^(logs|xray):/.test(action))).toEqual([]);
  });
});

describe("who may touch the sites directory", () => {
  it.each(tasks)("%s mounts it as far as it needs", (task) => {
    const actions = rightsOf(prod, clinicA, `${task}Role`)
      .flatMap((right) => right.actions)
      .filter((action) => action.startsWith("elasticfilesystem:"));
    const expected: Readonly<Record<string, readonly string[]>> = {
      Dump: ["ClientMount"],
      Restore: ["ClientMount", "ClientWrite", "ClientRootAccess"],
    };
    expect(actions).toEqual((expected[task] ?? []).map((action) => `elasticfilesystem:${action}`));
  });

  it.each(tasks)("%s sees whether OpenEMR's service is stopped only where it may have to", (task) => {
    const ofEcs = rightsOf(prod, clinicA, `${task}Role`).filter(({ actions }) =>
      actions.some((action) => action.startsWith("ecs:")),
    );
    expect(ofEcs.map(({ actions, resources }) => ({ actions, resources }))).toEqual(
      task === "Restore"
        ? [
            {
              actions: ["ecs:DescribeServices"],
              resources: ["arn:aws:ecs:eu-central-1:123456789012:service/clinic-a/openemr"],
            },
            { actions: ["ecs:ListTasks"], resources: ["*"] },
          ]
        : [],
    );
    const { ArnEquals } = ofEcs.at(-1)?.condition ?? {};
    if (task === "Restore") expect(textOf(ArnEquals)).toContain("ecs:eu-central-1:123456789012:cluster/clinic-a");
  });

  it("through the access point that the configuration names", () => {
    const [right] = rightsOf(prod, clinicA, "DumpRole").filter(({ actions }) =>
      actions.includes("elasticfilesystem:ClientMount"),
    );
    expect(right?.resources).toEqual([
      "arn:aws:elasticfilesystem:eu-central-1:123456789012:file-system/fs-0a1a1a1a1a1a1a1a1",
    ]);
    const { StringEquals } = right?.condition ?? {};
    expect(textOf(StringEquals)).toContain("access-point/fsap-0a1a1a1a1a1a1a1a1");
  });
});

describe("installations", () => {
  it.each([
    { own: clinicA, other: "clinic-b" },
    { own: clinicB, other: "clinic-a" },
  ])("$own names nothing of $other", ({ own, other }) => {
    const stack = prod.find(({ name }) => name.endsWith(own));
    expect(stack).toBeDefined();
    expect(JSON.stringify(stack?.template)).not.toContain(other);
  });

  it.each(tasks)("%s reads records of its own installation, and writes its steps and locks alone", (task) => {
    const rights = rightsOf(prod, clinicA, `${task}Role`)
      .filter(({ actions }) => actions.some((action) => action.startsWith("dynamodb:")))
      .map(({ actions, condition }) => [actions, condition]);
    const ofKeys = (...keys: readonly string[]) => ({ "ForAllValues:StringLike": { "dynamodb:LeadingKeys": keys } });
    const lists = ["Dump", "Report", "Restore", "Copy"].includes(task);
    expect(rights).toEqual([
      [["dynamodb:GetItem"], ofKeys("JOB#clinic-a")],
      [["dynamodb:GetItem", "dynamodb:UpdateItem"], ofKeys("STEPS#clinic-a", "LOCK#clinic-a")],
      ...(lists ? [[["dynamodb:Query"], ofKeys("JOB#clinic-a")]] : []),
    ]);
  });

  it.each(tasks)("%s publishes its own installation's progress and nothing else", (task) => {
    const [right, ...others] = rightsOf(prod, clinicA, `${task}Role`).filter(({ actions }) =>
      actions.includes("events:PutEvents"),
    );
    expect(others).toEqual([]);
    const own = { "events:source": "openemr.ops.clinic-a", "events:detail-type": "JobProgressed" };
    expect(right?.condition).toMatchObject({ StringEquals: { "events:source": own["events:source"] } });
    expect(JSON.stringify(right?.condition)).not.toMatch(/JobSucceeded|JobFailed|"openemr\.ops"/);
  });

  it("only what schedules and rotated secrets start is started by them: never a restore", () => {
    const startable = resourcesFor(rightsOf(prod, "ControlPlaneStack", "StartRole"), "states:StartExecution");
    const machines = "arn:aws:states:eu-central-1:123456789012:stateMachine:openemr-ops-prod-";
    expect(startable).toEqual([
      `${machines}*-DumpInstallation`,
      `${machines}*-RestoreDrill`,
      `${machines}*-CheckRepository`,
      `${machines}*-CheckHealth`,
      `${machines}*-ReportInstallation`,
      `${machines}*-ExportDatabase`,
      `${machines}*-RotateSmtpCredential`,
      `${machines}*-RedeployService`,
    ]);
  });

  it.each([
    { task: "Dump", workflows: ["DumpInstallation"] },
    { task: "Retention", workflows: ["DumpInstallation"] },
    { task: "Drill", workflows: ["RestoreDrill", "CheckRepository"] },
    { task: "Report", workflows: ["ReportInstallation"] },
    { task: "Restore", workflows: ["RestoreInstallation"] },
    { task: "Copy", workflows: ["CopyDumps"] },
    { task: "CopyRetention", workflows: ["CopyDumps"] },
  ])("$task answers $workflows of its own installation alone", ({ task, workflows }) => {
    const machines = resourcesFor(rightsOf(prod, clinicA, `${task}Role`), "states:SendTaskSuccess");
    expect(machines).toEqual(
      workflows.map(
        (name) => `arn:aws:states:eu-central-1:123456789012:stateMachine:openemr-ops-prod-clinic-a-${name}`,
      ),
    );
  });

  it("only a dump's workflow starts copies, of its own installation", () => {
    const startable = resourcesFor(rightsOf(prod, clinicA, "DumpInstallationRole"), "states:StartExecution");
    const machine = "arn:aws:states:eu-central-1:123456789012:stateMachine:openemr-ops-prod-clinic-a-CopyDumps";
    expect(startable).toEqual([machine]);
    for (const kind of ["RestoreDrill", "CheckRepository", "CopyDumps", "RestoreInstallation", "CheckHealth"])
      expect(resourcesFor(rightsOf(prod, clinicA, `${kind}Role`), "states:StartExecution")).toEqual([]);
  });

  it("run only their own tasks, in their own cluster, with their own roles", () => {
    const rights = rightsOf(prod, clinicB, "DumpInstallationRole");
    expect(resourcesFor(rights, "ecs:RunTask")).toEqual(
      ["dump", "retention"].map(
        (task) => `arn:aws:ecs:eu-central-1:123456789012:task-definition/openemr-ops-prod-clinic-b-${task}:*`,
      ),
    );
    for (const right of rights.filter(({ actions }) => actions.includes("ecs:RunTask")))
      expect(right.condition).toEqual({
        ArnEquals: { "ecs:cluster": "arn:aws:ecs:eu-central-1:123456789012:cluster/clinic-b" },
      });
    for (const right of rights.filter(({ actions }) => actions.includes("iam:PassRole")))
      expect(right.condition).toEqual({ StringEquals: { "iam:PassedToService": "ecs-tasks.amazonaws.com" } });
  });
});

describe("starting a container", () => {
  it("fetches the named image from its repository and no other", () => {
    const rights = rightsOf(developer, clinicA, "DumpStartRole");
    expect(resourcesFor(rights, "ecr:BatchGetImage")).toEqual([
      "arn:aws:ecr:eu-central-1:123456789012:repository/openemr-ops",
    ]);
  });
});

describe("rights over everything", () => {
  /** AWS knows no resource for these; a condition of ListTasks names the cluster. */
  const unnarrowable =
    /^(ecr:GetAuthorizationToken|ecs:(DescribeTaskDefinition|ListTasks)|xray:(Get|Put)\w+|logs:(CreateLogDelivery|DeleteLogDelivery|DescribeLogGroups|DescribeResourcePolicies|GetLogDelivery|ListLogDeliveries|PutResourcePolicy|UpdateLogDelivery)|ses:(CreateReceiptRuleSet|DeleteReceiptRuleSet|DescribeActiveReceiptRuleSet|DescribeReceiptRuleSet|SetActiveReceiptRuleSet))$/;

  it("are given only where AWS narrows nothing", () => {
    const roles = resourcesOf(prod, "AWS::IAM::Policy").map(({ stack, id }) => ({
      stack,
      role: id.replace(/DefaultPolicy[0-9A-F]{8}$/, ""),
    }));
    const wide = roles.flatMap(({ stack, role }) =>
      rightsOf(prod, stack, role)
        .filter(({ resources }) => resources.includes("*"))
        .flatMap(({ actions }) => actions),
    );
    expect(wide.length).toBeGreaterThan(0);
    expect(wide.filter((action) => !unnarrowable.test(action))).toEqual([]);
  });

  it("no action is a pattern", () => {
    const actions = resourcesOf(prod, "AWS::IAM::Policy").flatMap(({ resource }) =>
      [...JSON.stringify(resource.Properties).matchAll(/"([a-z0-9-]+:[A-Za-z]*\*)"/g)].map(([, action]) => action),
    );
    expect(actions).toEqual([]);
  });
});
