import { functionWorkflow } from "@openemr-ops/stacks/workflows/functionWorkflow";
import { App, Stack } from "aws-cdk-lib";
import { Function as LambdaFunction } from "aws-cdk-lib/aws-lambda";
import { DefinitionBody, StateMachine } from "aws-cdk-lib/aws-stepfunctions";
import { expect, it } from "vitest";
import { aslErrors } from "../../support/aslErrors.ts";
import { machinesOf } from "../../support/templates.ts";

it("a job without a container is begun, done by its function, and finished with what that reports", () => {
  const app = new App();
  const stack = new Stack(app, "Stack");
  const fn = (name: string) =>
    LambdaFunction.fromFunctionArn(stack, name, `arn:aws:lambda:eu-west-1:111122223333:function:${name}`);
  const shared = { begin: fn("begin"), finish: fn("finish"), fail: fn("fail") };
  const definition = functionWorkflow(
    stack,
    { kind: "check", installation: "clinic-a", ...shared },
    { name: "Look", work: fn("look"), minutes: 3 },
  );
  new StateMachine(stack, "Machine", { definitionBody: DefinitionBody.fromChainable(definition) });

  const { template } = app.synth().getStackByName("Stack");
  const [machine] = machinesOf([{ name: "Stack", template, messages: [] }]);
  expect(aslErrors(machine?.definition)).toEqual([]);
  const { Begin, Look, Finish } = machine?.definition.States ?? {};
  expect([Begin?.Next, Look?.Next]).toEqual(["Look", "Finish"]);
  expect(Look).toMatchObject({
    TimeoutSeconds: 180,
    Parameters: { FunctionName: expect.stringMatching(/:look$/), Payload: { "job.$": "$.job", "input.$": "$.input" } },
    ResultSelector: { "figures.$": "$.Payload.figures", "result.$": "$.Payload.result" },
    Catch: [{ Next: "Report failure" }],
  });
  expect(Finish).toMatchObject({ Parameters: { Payload: { "reports.$": "States.Array($.report)" } } });
});
