import * as field from "../fields.ts";
import { strict } from "../strict.ts";

/** How many dumps to keep by period; 0 is none of that kind. At least one is above 0. */
export const retention = strict({
  keepLast: field.keep.default(0),
  keepDaily: field.keep.default(0),
  keepWeekly: field.keep.default(0),
  keepMonthly: field.keep.default(0),
  keepYearly: field.keep.default(0),
}).refine((policy) => Object.values(policy).some((count) => count > 0), {
  error: "keeps nothing; set at least one of keepLast, keepDaily, keepWeekly, keepMonthly, keepYearly above 0",
});
