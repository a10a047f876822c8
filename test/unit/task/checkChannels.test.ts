import { JobAbortedError } from "@openemr-ops/core/errors";
import { operations } from "@openemr-ops/task/operations";
import { expect, it } from "vitest";
import { aSilentServer } from "../../support/silentServer.ts";

it("trying Slack's token stops when somebody stops the program", { timeout: 5000 }, async () => {
  await using server = await aSilentServer();
  const stop = new AbortController();
  const field = "notifications.slack.botToken";
  const slack = {
    kind: "bot",
    botToken: { kind: "environment", name: "TOKEN", field },
    channel: "C0123456789",
  } as const;
  const environment = { TOKEN: "xoxb-canary-0000", OPENEMR_OPS_SLACK_API: `http://127.0.0.1:${server.port}` };
  const trying = operations.checkChannels({ slack }, { environment, signal: stop.signal });
  await server.connected;
  stop.abort();
  await expect(trying).rejects.toThrow(JobAbortedError);
});
