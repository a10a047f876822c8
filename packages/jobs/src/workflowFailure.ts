import { FatalError } from "@openemr-ops/core/errors";
import type { NamedFailure } from "@openemr-ops/events/workflowSteps";

/** A failure of a workflow, thrown on under its own name. */
export class WorkflowFailure extends FatalError {
  override readonly name: string;
  constructor({ name, message }: NamedFailure) {
    super(message);
    this.name = name;
  }
}
