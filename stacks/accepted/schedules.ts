import type { Stack } from "aws-cdk-lib";
import { accept } from "./accept.ts";
import { ownRights } from "./findings.ts";

/** What is accepted in an installation's stack for its schedules. */
export const acceptInSchedules = (stack: Stack): void =>
  accept(stack, "ScheduleRole/DefaultPolicy/Resource", ownRights);
