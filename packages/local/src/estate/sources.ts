import type { EstateContents } from "./plan.ts";
import type { Random } from "./random.ts";
import { momentOf } from "./words.ts";

/** What one row is made for: a number, or an object whose fields its values name. */
export type Item = number | object;

export const userCount = 8;

const oneTo = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index + 1);

/** Settings of the site by name. A function makes a secret, which is sealed. */
const settings: readonly (readonly [name: string, value: string | ((random: Random) => string)])[] = [
  ["gbl_time_zone", "America/Chicago"],
  ["language_default", "English (Standard)"],
  ["database_encryption", "1"],
  ["drive_encryption", "1"],
  ["EMAIL_METHOD", "SMTP"],
  ["SMTP_HOST", "127.0.0.1"],
  ["SMTP_PORT", "2525"],
  ["SMTP_USER", "mailer"],
  ["SMTP_SECURE", ""],
  ["patient_reminder_sender_email", "office@clinic.example"],
  ["openemr_name", "Estate Clinic"],
  ["gbl_auth_hash_algo", "DEFAULT"],
  ["SMTP_PASS", (random) => `smtp-${random.bytes(12).toString("hex")}`],
  ["couchdb_pass", (random) => `couch-${random.bytes(8).toString("hex")}`],
  ["gateway_api_key", (random) => random.bytes(24).toString("base64url")],
];

const categories = ["Everything", "Lab", "Imaging", "Letters", "Insurance cards", "Consents"].map((name, index, all) =>
  index === 0
    ? { name, parent: 0, left: 0, right: 2 * all.length - 1 }
    : { name, parent: 1, left: 2 * index - 1, right: 2 * index },
);

/** What a table can have a row for, by the name that `tables.sql` uses. */
const sources: Readonly<Record<string, (contents: EstateContents) => readonly Item[]>> = {
  patient: ({ size }) => oneTo(size.patients),
  encounter: ({ encounters }) => oneTo(encounters),
  charge: ({ encounters }) => oneTo(encounters * 2).map((n) => ({ encounter: Math.ceil(n / 2) })),
  problem: ({ size }) => oneTo(size.patients * 2),
  formField: ({ size }) =>
    oneTo(Math.ceil(size.patients / 2)).flatMap((form) =>
      ["plan", "score", "summary"].map((field) => ({ form, field })),
    ),
  consent: ({ size }) => oneTo(Math.ceil(size.patients / 20)),
  document: ({ documents }) => documents,
  logRow: ({ size }) => oneTo(size.logRows),
  exportPatient: ({ size }) =>
    oneTo(6).flatMap((job) => oneTo(Math.min(4, size.patients)).map((pid) => ({ job, pid }))),
  user: () => oneTo(userCount).map((id) => ({ name: id === 1 ? "admin" : `clin-${id - 1}` })),
  aro: () => ["admin", "clin-1", "clin-2"].map((name, index) => ({ id: index + 10, name })),
  setting: () => settings.map(([name, value]) => ({ name, value })),
  key: ({ keySet }) => keySet.keysRows,
  userSetting: () =>
    [0, 1, 2].flatMap((user) => [
      { user, label: "vitals_expand", value: "1" },
      { user, label: "prescriptions_expand", value: user === 0 ? "0" : "1" },
    ]),
  listOption: () =>
    ["titration", "clinic_rooms", "visit_tags"].flatMap((list) =>
      oneTo(40).map((place) => ({ list, index: place - 1, seq: (place - 1) * 10, isFirst: place === 1 })),
    ),
  category: () => categories,
  client: () => [0.6, 0.7].map((position) => ({ at: momentOf(position) })),
};

/** What a table has rows for: the items of a source, or the numbers up to a count. */
export const itemsFor = (source: string, contents: EstateContents): readonly Item[] => {
  if (/^\d+$/.test(source)) return oneTo(Number(source));
  const items = sources[source];
  if (!items) throw new TypeError(`tables.sql: no source ${source}; there are ${Object.keys(sources).join(", ")}`);
  return items(contents);
};
