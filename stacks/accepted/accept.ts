import type { Stack } from "aws-cdk-lib";

/** Rules of cdk-nag that a resource does not follow, and why that is accepted. */
export interface Finding {
  readonly rules: readonly string[];
  /** Parts of the finding, for rules that report several about one resource: a text, or a pattern between slashes. */
  readonly appliesTo?: readonly string[];
  readonly reason: string;
}

/** Findings that are accepted for one resource. */
export interface Acceptance {
  /** Path of the CloudFormation resource within its stack. One resource: no pattern, no group. */
  readonly path: string;
  readonly findings: readonly Finding[];
}

const acceptances = new WeakMap<Stack, Acceptance[]>();

/** Accepts findings for one resource of a stack, by its path. `stacks/nag.ts` fails when no resource has the path. */
export const accept = (stack: Stack, path: string, ...findings: readonly [Finding, ...Finding[]]): void => {
  acceptances.set(stack, [...(acceptances.get(stack) ?? []), { path, findings }]);
};

/** What was accepted in a stack while it was made. */
export const acceptedIn = (stack: Stack): readonly Acceptance[] => acceptances.get(stack) ?? [];
