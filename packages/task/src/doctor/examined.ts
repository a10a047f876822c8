import type { SitesMeasure } from "@openemr-ops/openemr/measureSites";
import type { Place } from "../program.ts";

/** One installation under examination, and what earlier checks found out for later ones. */
export interface Examined {
  readonly place: Place;
  /** Dotted path of the installation, such as `installations[0]`. */
  readonly at: string;
  /** Whether trial objects may be written at destinations. */
  readonly write: boolean;
  /** What a walk through the sites found; set by the check `sites-readable`. */
  measure?: SitesMeasure;
  /** Bytes of rows and keys, as the server estimates them; set by the check `dump-schema`. */
  databaseBytes?: number;
}

/** Dotted path of the object that a field is in: `a.b` of `a.b.c`. */
export const parentOf = (field: string): string => field.slice(0, field.lastIndexOf("."));
