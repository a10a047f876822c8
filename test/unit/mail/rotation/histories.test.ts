import { retireSmtp, rotateSmtp, switchSmtp } from "@openemr-ops/mail/rotation/rotateSmtp";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { Harmed, watched } from "../../../support/mailEffects.ts";
import { aMailWorld } from "../../../support/mailWorld.ts";

const runs = { rotateSmtp, switchSmtp, retireSmtp };
const soakMinutes = 60;

/** What can happen to a hospital's mail between two looks at it. */
const anyEvent = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      what: fc.constant("run" as const),
      phase: fc.constantFrom("rotateSmtp" as const, "switchSmtp" as const, "retireSmtp" as const),
      at: fc.integer({ min: 1, max: 25 }),
      how: fc.constantFrom("stop" as const, "fail" as const, "lost" as const),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ what: fc.constant("time" as const), minutes: fc.integer({ min: 0, max: 120 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ what: fc.constant("stalePage" as const), site: fc.constantFrom("default", "north") }),
  },
);

it("whatever runs, stops, fails and is written back, mail flows at every instant unless a stale page cut it off, and a rotation ends it", async () => {
  let ended = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyEvent, { minLength: 1, maxLength: 12 }),
      fc.boolean(),
      async (events, firstIsCurrent) => {
        const world = aMailWorld({ firstIsCurrent });
        const rotation = { ...world.rotation, soakMinutes };
        const seen = { default: [world.site("default").mail], north: [world.site("north").mail] };
        const stale = new Set<string>();
        const look = () => {
          for (const site of ["default", "north"] as const) {
            const { mail } = world.site(site);
            if (seen[site].at(-1)?.user !== mail.user) {
              seen[site].push(mail);
              stale.delete(site); // a rotation wrote it
            }
          }
          expect(world.cutOff().filter((site) => !stale.has(site))).toEqual([]);
          expect(world.keys().length).toBeLessThanOrEqual(2);
        };
        for (const event of events) {
          if (event.what === "time") world.clock.advance(event.minutes * 60);
          else if (event.what === "stalePage") {
            const site = event.site as "default" | "north";
            const before = seen[site].at(-2);
            if (before) {
              world.site(site).mail = before;
              seen[site].push(before);
              stale.add(site);
            }
          } else {
            const { run } = watched(rotation, look, event);
            await runs[event.phase](run).catch((error: unknown) => {
              const refusals = ["Harmed", "RotationRefusedError", "MailLoginRefusedError", "CredentialDriftError"];
              expect(refusals).toContain(error instanceof Error ? error.name : error);
              if (!(error instanceof Harmed) && stale.size === 0)
                expect([event.phase, String(error)]).toEqual(["retireSmtp", expect.stringMatching(/has not ended/)]);
            });
          }
          look();
        }
        // Whatever is left, two more runs end it and make mail flow.
        world.clock.advance(soakMinutes * 60);
        await rotateSmtp({ ...rotation, soakMinutes: 0 });
        await rotateSmtp({ ...rotation, soakMinutes: 0 });
        expect(world.cutOff()).toEqual([]);
        expect(world.keys()).toHaveLength(1);
        const { accessKeyId, retiring, creating } = JSON.parse(world.secret.current() ?? "");
        expect([accessKeyId, retiring, creating]).toEqual([world.keys()[0]?.id, undefined, undefined]);
        expect(world.mostKeys()).toBeLessThanOrEqual(2);
        ended++;
      },
    ),
    { numRuns: 300 },
  );
  expect(ended).toBe(300);
});
