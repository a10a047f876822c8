import { consoleHosts } from "@openemr-ops/core/consoleLinks";

/** An execution's ARN: state machine and name, without a character that could end a link. */
const executionArn =
  /^arn:(aws[a-z-]*):states:([a-z0-9-]{1,32}):\d{12}:execution:[A-Za-z0-9_-]{1,80}:[A-Za-z0-9_-]{1,80}$/;

/** Address of an execution in the AWS console; undefined for a text that is not an execution's ARN. */
export const executionLink = (arn: string): string | undefined => {
  const [, partition = "", region] = executionArn.exec(arn) ?? [];
  const host = consoleHosts[partition];
  if (host === undefined || region === undefined) return undefined;
  return `https://${region}.${host}/states/home?region=${region}#/v2/executions/details/${arn}`;
};
