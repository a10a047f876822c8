import type { SmtpTexts } from "./smtpSecret.ts";

/** A page is not open for longer than as many rotations. */
const most = 12;

/**
 * Keys that rotations made and deleted, the newest first: an administration page that was opened while one of them was in use can
 * still write it back.
 *
 * @param ids the keys that there are
 */
export const goneKeys = ({ current, pending }: SmtpTexts, ids: readonly string[]): readonly string[] => {
  const named = [
    pending?.secret.accessKeyId ?? "", // of a switch that went back
    ...(pending?.secret.retired ?? []),
    ...(current?.secret.retired ?? []),
  ];
  const inUse = ["", current?.secret.accessKeyId, ...ids];
  return [...new Set(named)].filter((id) => !inUse.includes(id)).slice(0, most);
};
