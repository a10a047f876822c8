import type { Program } from "../program.ts";
import { healthGate, openRedeployment, redeployAndLook, requirePart, rotationsOf } from "./rotationContext.ts";

export interface RedeployPlan {
  readonly dryRun: true;
  /** What would be done, in words. */
  readonly would: string;
}

export interface RedeployResult {
  readonly redeployed: true;
  /** By what OpenEMR's page holds, after it was started anew. */
  readonly healthy: true;
  readonly seconds: number;
  /** The deployment's identifier, on ECS. */
  readonly deployment?: string;
}

export const redeploy: Program<"redeploy", RedeployPlan, RedeployResult> = {
  plan: async (place) => {
    if (rotationsOf(place).platform.kind !== "ecs") requirePart(place, "redeploy");
    healthGate(place, "after");
    const redeployment = await openRedeployment(place);
    await redeployment.check();
    const { would } = redeployment;
    return { result: { dryRun: true, would }, report: { figures: {}, result: { would } } };
  },
  run: async (place) => {
    if (rotationsOf(place).platform.kind !== "ecs") requirePart(place, "redeploy");
    const began = place.now().getTime();
    const { deployment } = await redeployAndLook(place);
    const seconds = (place.now().getTime() - began) / 1000;
    const named = deployment === undefined ? {} : { deployment };
    return {
      result: { redeployed: true, healthy: true, seconds, ...named },
      report: { figures: { seconds }, result: named },
    };
  },
};
