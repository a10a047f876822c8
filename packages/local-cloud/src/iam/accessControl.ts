import type { Deployment } from "../deployment.ts";
import { digitsOf } from "../resourceTypes.ts";
import type { Call } from "./calls.ts";
import { type CallContext, judge } from "./policy.ts";

/** Who calls: a function, a container, a state machine, a service acting for one of them, or a person. */
export interface Principal {
  /** For people: `function openemr-ops-dev-begin`. */
  readonly name: string;
  /** ARN; a person has none and may do everything. */
  readonly role?: string;
}

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

export interface DeniedCall {
  readonly principal: string;
  readonly role: string;
  readonly action: string;
  readonly resource: string;
  /** What conditions could have judged by. */
  readonly context: CallContext;
}

/** An action that a role may take and that nobody has taken. */
export interface UnusedGrant {
  readonly role: string;
  readonly action: string;
  /** Where the statement stands. */
  readonly from: string;
  readonly resources: readonly string[];
}

/** Knows callers by their access keys, judges what they ask by their roles' policies and remembers both answers. */
export const accessControl = ({ roles }: Deployment) => {
  const principals = new Map<string, Principal>();
  const denied: DeniedCall[] = [];
  const used = new Set<string>();
  const grant = (role: string, from: string, action: string) => `${role} ${from} ${action}`;

  /** The keys that a principal signs with; always the same ones. */
  const credentialsFor = (principal: Principal): Credentials => {
    const accessKeyId = `ASIA${digitsOf(`${principal.name}/${principal.role}`, 16).toUpperCase()}`;
    principals.set(accessKeyId, principal);
    return {
      accessKeyId,
      secretAccessKey: digitsOf(`secret of ${accessKeyId}`, 40),
      sessionToken: `local-${accessKeyId}`,
    };
  };

  /** Whether the principal may make the call. What may not is remembered. */
  const allows = (principal: Principal, call: Call): boolean => {
    if (principal.role === undefined) return true;
    const { allowed, by } = judge(roles.get(principal.role)?.statements ?? [], call);
    if (allowed && by) used.add(grant(principal.role, by.statement.from, by.action));
    if (!allowed) denied.push({ principal: principal.name, role: principal.role, ...call });
    return allowed;
  };

  /** As `allows`, without leaving a trace: for what AWS looks at but does not ask for. */
  const wouldAllow = (principal: Principal, call: Call): boolean =>
    principal.role === undefined || judge(roles.get(principal.role)?.statements ?? [], call).allowed;

  const unusedGrants = (): readonly UnusedGrant[] =>
    [...roles.values()].flatMap(({ arn, name, statements }) =>
      statements
        .filter(({ effect }) => effect === "Allow")
        .flatMap(({ from, actions, resources }) =>
          actions
            .filter((action) => !used.has(grant(arn, from, action)))
            .map((action) => ({ role: name, action, from, resources })),
        ),
    );

  return {
    credentialsFor,
    principalOf: (accessKeyId: string): Principal | undefined => principals.get(accessKeyId),
    allows,
    wouldAllow,
    denied: (): readonly DeniedCall[] => denied,
    unusedGrants,
  };
};

export type AccessControl = ReturnType<typeof accessControl>;
