import type { JobRecord } from "@openemr-ops/core/jobs";
import { type Channel, type ChannelFilter, wantedBy } from "./channel.ts";

/** A program of the operator's own. `run` starts it with the record as JSON on its standard input. */
export const commandChannel = (
  filter: ChannelFilter,
  { run, testRecord }: { readonly run: (record: JobRecord) => Promise<void>; readonly testRecord: JobRecord },
): Channel => ({
  field: "notifications.command",
  wants: wantedBy(filter),
  send: ({ record }) => run(record),
  test: async () => {
    await run(testRecord);
    return 'got a record of the kind "test"';
  },
});
