import { Aspects, CfnResource, Stack } from "aws-cdk-lib";
import { AwsSolutionsChecks, HIPAASecurityChecks, NagSuppressions, NIST80053R5Checks } from "cdk-nag";
import type { IConstruct } from "constructs";
import { acceptedIn, type Finding } from "./accepted/accept.ts";

/** The findings that are accepted for one resource of an app. */
export interface AcceptedResource {
  /** The stack's path in the app. */
  readonly stack: string;
  /** Path within the stack. */
  readonly path: string;
  readonly findings: readonly Finding[];
}

/** Everything that the stacks below `root` accept. A test fails on any other finding, and on an acceptance that nothing needs. */
export const acceptedBelow = (root: IConstruct): readonly AcceptedResource[] =>
  root.node
    .findAll()
    .filter(Stack.isStack)
    .flatMap((stack) => acceptedIn(stack).map((acceptance) => ({ stack: stack.node.path, ...acceptance })));

/**
 * Has cdk-nag look at everything below `root` at synthesis. Findings become messages of their stacks.
 *
 * @throws {TypeError} an acceptance names what is no resource
 */
export const inspectWithNag = (root: IConstruct): void => {
  const resources = new Map(root.node.findAll().map((construct) => [construct.node.path, construct]));
  for (const { stack, path, findings } of acceptedBelow(root)) {
    const resource = resources.get(`${stack}/${path}`);
    if (!resource || !CfnResource.isCfnResource(resource))
      throw new TypeError(`an acceptance names ${path}, which is no resource of ${stack}; name one, with /Resource`);
    const suppressions = findings.flatMap(({ rules, appliesTo, reason }) =>
      rules.map((id) => ({
        id,
        reason,
        ...(appliesTo
          ? { appliesTo: appliesTo.map((part) => (part.startsWith("/") ? { regex: `${part}g` } : part)) }
          : {}),
      })),
    );
    NagSuppressions.addResourceSuppressions(resource, suppressions);
  }
  for (const pack of [new AwsSolutionsChecks(), new HIPAASecurityChecks(), new NIST80053R5Checks()])
    Aspects.of(root).add(pack);
};
