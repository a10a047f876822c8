/** Names of columns, separated by spaces; a list where a name itself contains a space. */
export type Columns = string | readonly string[];

/** Kinds of identifiers in the order of 45 CFR 164.514(b)(2)(i), which has no columns for vehicles and photographs here. */
const identifierKinds = [
  "names",
  "geographic",
  "dates",
  "phone",
  "fax",
  "email",
  "ssn",
  "mrn",
  "healthPlanBeneficiary",
  "account",
  "certificateLicense",
  "device",
  "url",
  "ipAddress",
  "biometric",
  "otherUnique",
] as const;

/** What a column contains, as far as its name and its table show. */
export const columnKinds = [
  "birth",
  ...identifierKinds,
  /** Text that a person types: it can contain any identifier. */
  "freeText",
  /** Short text for a measured value, such as `20/40` or `+1.25`, in which a person can also type something else. */
  "measured",
  /** Codes, amounts, counters and choices from a list. */
  "none",
] as const;
export type ColumnKind = (typeof columnKinds)[number];

/**
 * What a record number counts. Columns of one subject can be joined with each other. Numbers of all forms are one subject,
 * because `forms.form_id` refers to a different table in each row. Nothing refers to `own` numbers.
 */
export type Subject =
  | "amendment"
  | "appointment"
  | "CAMOS category"
  | "CAMOS subcategory"
  | "care team"
  | "clearing house"
  | "document"
  | "document category"
  | "document template"
  | "drug"
  | "drug lot"
  | "eligibility check"
  | "encounter"
  | "facility"
  | "form"
  | "immunization"
  | "insurer"
  | "issue"
  | "lab"
  | "login"
  | "own"
  | "patient"
  | "payment session"
  | "pharmacy"
  | "policy"
  | "prescription"
  | "procedure report"
  | "procedure result"
  | "procedure specimen"
  | "questionnaire"
  | "questionnaire response"
  | "reminder"
  | "therapy group"
  | "tracked item"
  | "tracker"
  | "transaction"
  | "user"
  | "uuid";

/** Where the same row says in which country and state a postal code is. */
export interface PostalPlace {
  readonly country: string;
  readonly state: string;
}

/** Every column of a table, by what it contains. */
export interface TableColumns extends Readonly<Partial<Record<ColumnKind, Columns>>> {
  readonly ids?: Readonly<Partial<Record<Subject, Columns>>>;
  readonly zip?: Readonly<Record<string, PostalPlace>>;
}

export type ColumnMeaning =
  | { readonly kind: ColumnKind }
  | { readonly kind: "id"; readonly subject: Subject }
  | ({ readonly kind: "zip" } & PostalPlace);
