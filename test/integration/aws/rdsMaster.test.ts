import { rdsMaster } from "@openemr-ops/aws/rdsMaster";
import { ControlPlaneMissingError, DatabaseUnavailableError, SecretUnreadableError } from "@openemr-ops/core/errors";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type AwsAnswer, type AwsCall, startAwsStub } from "../../support/awsStub.ts";

afterEach(() => vi.unstubAllEnvs());

type Master = ReturnType<typeof rdsMaster>;

/** What is done with a cluster's master user while AWS answers so. */
const against = async <Result>(answer: (call: AwsCall) => AwsAnswer, work: (master: Master) => Promise<Result>) => {
  await using stub = await startAwsStub(answer);
  vi.stubEnv("AWS_ENDPOINT_URL", stub.url);
  vi.stubEnv("AWS_REGION", "eu-central-1");
  vi.stubEnv("AWS_ACCESS_KEY_ID", "key");
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "secret");
  const result = await work(rdsMaster({ cluster: "clinic-a" }));
  return { result, calls: stub.calls };
};
const described = (fields: string) => (): AwsAnswer => ({
  body: `<DescribeDBClustersResponse><DescribeDBClustersResult><DBClusters><DBCluster><DBClusterIdentifier>clinic-a</DBClusterIdentifier><MasterUsername>admin</MasterUsername><Status>available</Status>${fields}</DBCluster></DBClusters></DescribeDBClustersResult></DescribeDBClustersResponse>`,
});
const managedArn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:rds!cluster-1-abcdef";

describe("the master user of a cluster of RDS", () => {
  it("is described, and so is a password that still waits", async () => {
    const plain = await against(described(""), (master) => master.look());
    expect(plain.result).toEqual({
      name: "the cluster clinic-a",
      user: "admin",
      keepsPassword: false,
      changePending: false,
    });
    const waiting = await against(
      described("<PendingModifiedValues><MasterUserPassword>****</MasterUserPassword></PendingModifiedValues>"),
      (master) => master.look(),
    );
    expect(waiting.result).toMatchObject({ changePending: true });
  });

  it("gets a new password at once, not in the next maintenance window", async () => {
    const { calls } = await against(
      () => ({ body: "<ModifyDBClusterResponse/>" }),
      (master) => master.setPassword("new-password"),
    );
    expect(calls).toMatchObject([
      {
        action: "ModifyDBCluster",
        input: { DBClusterIdentifier: "clinic-a", MasterUserPassword: "new-password", ApplyImmediately: "true" },
      },
    ]);
  });

  it("gets no password that RDS would refuse for its length", async () => {
    const refused = against(described(""), (master) => master.setPassword("x".repeat(42)));
    await expect(refused).rejects.toThrow(/42 characters, and RDS takes 41/);
  });

  it("is rotated by RDS where RDS manages the password, and known by the version of its secret", async () => {
    const { result, calls } = await against(
      (call) => {
        if (call.action === "DescribeDBClusters")
          return described(
            `<MasterUserSecret><SecretArn>${managedArn}</SecretArn><SecretStatus>active</SecretStatus></MasterUserSecret>`,
          )();
        return { body: { VersionId: "new", SecretString: '{"username":"admin","password":"made-by-rds"}' } };
      },
      async (master) => {
        await master.rotateOwn();
        return { ...(await master.look()), ...(await master.readOwn()) };
      },
    );
    expect(result).toMatchObject({ keepsPassword: true, user: "admin", password: "made-by-rds", versionId: "new" });
    expect(calls.find(({ action }) => action === "RotateSecret")).toMatchObject({
      input: { SecretId: managedArn, RotateImmediately: true },
    });
  });

  it.each([
    { what: "the cluster is absent", error: "DBClusterNotFoundFault", expected: ControlPlaneMissingError },
    { what: "it is being changed", error: "InvalidDBClusterStateFault", expected: DatabaseUnavailableError },
    { what: "a right is missing", error: "AccessDenied", expected: /rds:ModifyDBCluster/ },
  ])("keeps its password when $what", async ({ error, expected }) => {
    const refused = against(
      () => ({ error }),
      (master) => master.setPassword("canary-password"),
    );
    await expect(refused).rejects.toThrow(expected);
    await expect(refused).rejects.not.toThrow(/canary/);
  });

  it("is not rotated by RDS when the secret refuses", async () => {
    const refused = against(
      (call) =>
        call.action === "DescribeDBClusters"
          ? described(`<MasterUserSecret><SecretArn>${managedArn}</SecretArn></MasterUserSecret>`)()
          : { error: "AccessDeniedException" },
      (master) => master.rotateOwn(),
    );
    await expect(refused).rejects.toThrow(SecretUnreadableError);
    await expect(refused).rejects.toThrow(/RotateSecret/);
  });
});
