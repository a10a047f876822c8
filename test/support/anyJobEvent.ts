import { workflowKinds } from "@openemr-ops/events/jobKinds";
import type { ToldEvent } from "@openemr-ops/notifications/jobMessages";
import * as fc from "fast-check";

const moment = fc
  .date({ min: new Date("2020-01-01T00:00:00Z"), max: new Date("2099-12-31T00:00:00Z"), noInvalidDate: true })
  .map((date) => date.toISOString());

/** Texts that an attacker or an accident would choose, and any other. */
export const foreignText = (most: number): fc.Arbitrary<string> =>
  fc
    .oneof(
      fc.string({ maxLength: most, unit: "binary" }),
      fc.string({ maxLength: most, unit: fc.constantFrom("<", ">", "&", "`", "*", "_", "~", "|", "!", "@", "\n") }),
      fc.constantFrom(
        "<!channel> come here",
        "<https://evil.example.org|click>",
        "<@U0123456789>",
        "```` not code",
        "&lt;!here&gt;",
        "\u202edesrever",
        "\ud800 half a character",
      ),
      fc.constantFrom("<", "&", "x", "😀").map((unit) => unit.repeat(Math.floor(most / unit.length))),
    )
    .map((text) => text.slice(0, most));

const name = (most: number) => foreignText(most).map((text) => text || "x");
const figures = fc.dictionary(name(64), fc.double({ noNaN: true, noDefaultInfinity: true }), { maxKeys: 60 });
const result = fc.dictionary(name(64), name(1024), { maxKeys: 30 });
const seconds = fc.double({ min: 0, max: 1e7, noNaN: true });
const installation = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,62}$/);

const common = { version: fc.constant(1 as const), installation, kind: fc.constantFrom(...workflowKinds), at: moment };
const optional = { requiredKeys: ["version", "installation", "kind", "at", "jobId", "dryRun"] } as const;
const jobId = fc.stringMatching(/^[A-Za-z0-9_-]{1,80}$/);
const ofJob = { ...common, jobId, dryRun: fc.boolean(), execution: name(2048) };

/** Any event that the contracts allow and a person is told of. */
export const anyToldEvent: fc.Arbitrary<ToldEvent> = fc.oneof(
  fc.record({
    name: fc.constant("JobStarted" as const),
    detail: fc.record(ofJob, { requiredKeys: [...optional.requiredKeys] }),
  }),
  fc.record({
    name: fc.constant("JobSucceeded" as const),
    detail: fc.record(
      { ...ofJob, seconds, figures, result },
      { requiredKeys: [...optional.requiredKeys, "seconds", "figures", "result"] },
    ),
  }),
  fc.record({
    name: fc.constant("JobFailed" as const),
    detail: fc.record(
      {
        ...ofJob,
        seconds,
        result,
        status: fc.constantFrom("failed" as const, "aborted" as const),
        error: fc.record({ name: name(128), message: foreignText(4096) }),
      },
      { requiredKeys: [...optional.requiredKeys, "seconds", "result", "status", "error"] },
    ),
  }),
  fc.record({
    name: fc.constant("JobOverdue" as const),
    detail: fc.record(
      { ...common, dueAt: moment, deadlineAt: moment, lastSuccess: fc.record({ jobId, endedAt: moment }) },
      { requiredKeys: ["version", "installation", "kind", "at", "dueAt", "deadlineAt"] },
    ),
  }),
);
