import { parseJson } from "@openemr-ops/core/config/jsonText";
import { selectInstallation } from "@openemr-ops/core/config/select";
import { ControlPlaneMissingError, InvalidInputError, JobAbortedError } from "@openemr-ops/core/errors";
import { ulid } from "@openemr-ops/core/ids";
import { jobKinds, stateMachineOf, type WorkflowKind, workflowKinds } from "@openemr-ops/events/jobKinds";
import { readInput } from "@openemr-ops/jobs/readInput";
import { usualAndDryRun } from "../commonOptions.ts";
import { argument, flag, optional } from "../options.ts";
import { aText, aWorkflow, oneOf } from "../optionValues.ts";
import { shown } from "../shown.ts";
import { type ControlContext, stageCommand } from "./controlContext.ts";
import { watch, watchCommand } from "./watch.ts";

interface Asked {
  readonly kind: WorkflowKind;
  readonly input?: string;
  readonly wait: boolean;
}

type Input = Readonly<Record<string, unknown>>;

/** Runs work whose issues name fields of the input, and puts `--input` before their paths. */
const withinInput = <Result>(work: () => Result): Result => {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof InvalidInputError)) throw error;
    const issues = error.issues.map(({ path, message }) => ({ path: path ? `--input: ${path}` : "--input", message }));
    throw new InvalidInputError(issues, { cause: error });
  }
};

const isObject = (value: unknown): value is Input =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const readObject = (text: string): Input =>
  withinInput(() => {
    const said = parseJson(text);
    if (isObject(said)) return said;
    throw new InvalidInputError([{ path: "", message: "expected an object, such as {}" }]);
  });

/** What goes to the workflow, checked as its first step will check it. */
const checkedInput = (kind: WorkflowKind, said: Input, installation: string, dryRun: boolean): Input => {
  const input = dryRun ? { ...said, dryRun } : said;
  withinInput(() => readInput({ kind, installation, input }));
  return input;
};

const confirm = async ({ common, ask }: ControlContext, input: Input, installation: string): Promise<void> => {
  if (input.inPlace !== true || input.dryRun === true || common.yes || common.json || !ask) return;
  if (!(await ask(`This replaces the live database and sites of ${installation}. Continue?`)))
    throw new JobAbortedError("the answer was no; nothing was started");
};

/** @returns the exit status: 0 once the job was started, or with `--wait` that of the job */
const runWorkflow = async (context: ControlContext, asked: Asked): Promise<number> => {
  const { common, stage, executions, output, now } = context;
  const { kind } = asked;
  const said = readObject(asked.input ?? "{}");
  const named = typeof said.installation === "string" ? said.installation : undefined;
  const installation = common.installation ?? named ?? selectInstallation(await context.readConfig()).id;
  const input = checkedInput(kind, said, installation, common.dryRun);
  await confirm(context, input, installation);

  const stateMachine = stateMachineOf(stage, installation, kind);
  const stateMachineArn = await executions.find(stateMachine);
  if (stateMachineArn === undefined)
    throw new ControlPlaneMissingError(
      `there is no workflow ${stateMachine} in this account and region; deploy stage ${stage}, or correct --stage and --installation`,
    );
  const jobId = ulid(now());
  const { executionArn: execution } = await executions.start({ stateMachineArn, name: jobId, input });
  const started = { jobId, kind, installation, stage, execution };
  const words = `${jobKinds[kind].workflow} of ${installation} is started as job ${jobId}.`;
  if (asked.wait) {
    output.plan(words, [["execution", execution]]);
    return watch(context, { installation, jobId });
  }
  output.result(started, () => shown`${words}\nTo watch it: ${watchCommand(jobId, [installation], stage)}\n`);
  return 0;
};

export const command = stageCommand({
  name: "run",
  summary: `Start a workflow of the control plane: ${oneOf(workflowKinds)}.`,
  common: usualAndDryRun,
  options: {
    kind: argument("workflow", `${workflowKinds.join(", ")}, or the workflow's name`, aWorkflow),
    input: optional("--input <json>", 'the workflow\'s input, such as \'{"dump":"latest"}\'', aText),
    wait: flag("--wait", "follow the job to its end; the exit status is then the job's"),
  },
  examples: [
    "run dump --installation clinic-a --wait",
    'run check --input \'{"level":"read-data","share":"1/7"}\'',
    "run RestoreDrill --stage staging --dry-run",
  ],
  run: runWorkflow,
});
