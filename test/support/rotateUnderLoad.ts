import { setTimeout as sleep } from "node:timers/promises";
import { startPhpApplication } from "@openemr-ops/local/servers/phpApplication";
import { rotateDatabase } from "@openemr-ops/rotation/database/rotateDatabase";
import type { RotatedInstallation } from "./aRotation.ts";
import type { SchemaUser } from "./database.ts";

export interface LoadedRotations {
  readonly requests: number;
  /** Answers other than that of a page that read its database. */
  readonly failed: readonly string[];
  readonly seconds: number;
  /** Of each rotation. */
  readonly rotationSeconds: readonly number[];
  /** What was live, from the beginning to the end. */
  readonly lives: readonly SchemaUser[];
  /** Users that the page logged in with. */
  readonly seen: ReadonlySet<string>;
}

/** Rotates again and again, while a PHP application serves requests without a pause. */
export const rotateUnderLoad = async (
  hospital: RotatedInstallation,
  rotations: number,
  clients = 6,
): Promise<LoadedRotations> => {
  await using application = await startPhpApplication(hospital);
  const failed: string[] = [];
  const seen = new Set<string>();
  let requests = 0;
  let goesOn = true;
  const client = async (): Promise<void> => {
    while (goesOn) {
      const [status, body] = await fetch(application.url).then(
        async (answer) => [answer.status, await answer.text()] as const,
        (error: Error) => [0, error.message] as const,
      );
      requests++;
      if (status === 200 && body.startsWith("ok ")) seen.add(body.slice(3));
      else failed.push(`${status} ${body}`);
    }
  };
  const began = performance.now();
  const load = Promise.all(Array.from({ length: clients }, client));
  const lives = [await hospital.named("default")];
  const rotationSeconds: number[] = [];
  try {
    for (let count = 0; count < rotations; count++) {
      const { seconds } = await rotateDatabase(
        hospital.rotation({ settleSeconds: 3, drainSeconds: 30, wait: (time) => sleep(time * 1000) }),
        async () => {},
      );
      rotationSeconds.push(seconds);
      lives.push(await hospital.named("default"));
    }
  } finally {
    goesOn = false;
    await load;
  }
  return { requests, failed, seconds: (performance.now() - began) / 1000, rotationSeconds, lives, seen };
};
