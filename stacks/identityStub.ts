import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** Outputs of the two stacks that SST and CDK have in an account. */
const bootstrapStacks: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  CDKToolkit: { BootstrapVersion: "30", BucketName: "cdk-assets" },
  OpenEmrOpsBootstrap: { Version: "7.4", BucketName: "sst-bootstrap" },
};

const describeStack = (name: string): string | undefined => {
  // A stage that exists: then nothing looks for what an earlier one left.
  const outputs = name.endsWith("-ControlPlaneStack") ? {} : bootstrapStacks[name];
  if (!outputs) return undefined;
  const members = Object.entries(outputs).map(
    ([key, value]) => `<member><OutputKey>${key}</OutputKey><OutputValue>${value}</OutputValue></member>`,
  );
  return `<DescribeStacksResponse><DescribeStacksResult><Stacks><member><StackName>${name}</StackName><StackStatus>CREATE_COMPLETE</StackStatus><CreationTime>2026-01-01T00:00:00Z</CreationTime><Outputs>${members.join("")}</Outputs></member></Stacks></DescribeStacksResult></DescribeStacksResponse>`;
};

const callerIdentity = (account: string): string =>
  `<GetCallerIdentityResponse><GetCallerIdentityResult><Account>${account}</Account><Arn>arn:aws:iam::${account}:user/synth</Arn><UserId>synth</UserId></GetCallerIdentityResult></GetCallerIdentityResponse>`;

const answerTo = (form: URLSearchParams, account: string): string | undefined => {
  switch (form.get("Action")) {
    case "GetCallerIdentity":
      return callerIdentity(account);
    case "DescribeStacks":
      return describeStack(form.get("StackName") ?? "");
    default:
      return undefined;
  }
};

export interface IdentityStub extends AsyncDisposable {
  readonly url: string;
  /** Calls that it could not answer. */
  readonly unanswered: readonly string[];
}

/** Answers the few AWS calls of `sst build` on 127.0.0.1, and refuses all others. */
export const startIdentityStub = async (account: string): Promise<IdentityStub> => {
  const unanswered: string[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (part: string) => {
      body += part;
    });
    request.on("end", () => {
      const form = new URLSearchParams(body);
      const answer = answerTo(form, account);
      if (answer === undefined)
        unanswered.push(`${form.get("Action") ?? request.url} ${form.get("StackName") ?? ""}`.trim());
      response.writeHead(answer === undefined ? 400 : 200, { "content-type": "text/xml" });
      response.end(answer ?? "<ErrorResponse><Error><Code>ValidationError</Code></Error></ErrorResponse>");
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    unanswered,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
};
