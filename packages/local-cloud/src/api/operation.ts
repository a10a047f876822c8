import type { Principal } from "../iam/accessControl.ts";
import type { Json, JsonObject } from "../json.ts";

/** A refusal in a service's own words. */
export class ServiceError extends Error {
  override readonly name = "ServiceError";
  readonly code: string;
  readonly status: number;
  constructor(code: string, message: string, status = 400) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

/** What a service does with a request in JSON. The caller was checked before. */
export type Operation = (body: JsonObject, principal: Principal) => Json | Promise<Json>;

/** By name, as `X-Amz-Target` ends. */
export type Operations = Readonly<Record<string, Operation>>;

/** As services with JSON protocols write moments. */
export const seconds = (at: Date): number => at.getTime() / 1000;
