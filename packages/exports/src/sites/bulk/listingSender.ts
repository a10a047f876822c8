import type { StoredObject } from "@openemr-ops/core/destination";
import { bytePath } from "@openemr-ops/files/bytePath";
import { contentWithheldBy, lookedAtBytes } from "@openemr-ops/openemr/withheldFiles";
import type { InventoryRow } from "../inventory/row.ts";
import type { FoundFile, fileSender, Sent } from "../sendFile.ts";
import { readSteadily } from "../steadyFile.ts";
import { type FileListWriter, mayBeListed } from "./fileList.ts";

/** A file this small is sent as quickly as it is listed, and its beginning is all of it. Bytes. */
const smallBytes = 64 * 1024;

/**
 * A sender that looks at the beginning of each large file and puts it on a list for a service to copy. What a list cannot name
 * beyond doubt, and small files, are sent by `direct`.
 */
export const listingSender = (
  direct: ReturnType<typeof fileSender>,
  list: FileListWriter,
  { root, now }: { readonly root: string; readonly now: () => Date },
): ReturnType<typeof fileSender> => {
  const putOnList = async (file: FoundFile, known?: InventoryRow, stored?: StoredObject): Promise<Sent> => {
    const seen = await readSteadily(bytePath(root, file.path), now, async (opened) => ({
      rule: contentWithheldBy(await opened.start(lookedAtBytes), opened.byteLength),
      changedNs: opened.changedNs,
    }));
    if (seen.outcome !== "read") return direct.upload(file, known); // it says why
    const { rule, changedNs } = seen.result;
    if (rule) return { outcome: "withheld", rule };
    const { byteLength, modifiedNs, readAt: exportedAt } = seen;
    await list.add(file.path, byteLength);
    const { key: place, path } = file;
    const row = { place, path, byteLength, modifiedNs, exportedAt, etag: stored?.etag, reason: String(changedNs) };
    return { outcome: "listed", row: { ...row, state: "listed" } };
  };
  const upload = (file: FoundFile, known?: InventoryRow, stored?: StoredObject): Promise<Sent> =>
    file.byteLength > smallBytes && mayBeListed(file)
      ? direct.request(() => putOnList(file, known, stored))
      : direct.upload(file, known);
  return {
    ...direct,
    upload,
    /** An interrupted run's copy has nothing that says of which state of the file it is. */
    resume: (file, stored) =>
      file.byteLength > smallBytes && mayBeListed(file) ? upload(file, undefined, stored) : direct.resume(file, stored),
  };
};
