/** How much there is in a miniature hospital. */
export interface EstateSize {
  readonly patients: number;
  /** Rows of `documents` with a file each. */
  readonly documents: number;
  /** Mean size of a document in clear, in bytes. */
  readonly documentBytes: number;
  /** Rows of the audit log, by far the largest table of a real installation; about 500 bytes of SQL each. */
  readonly logRows: number;
}

/** `tiny` builds in a second, `small` in a few, `medium` in half a minute. */
export const estateSizes = {
  tiny: { patients: 25, documents: 40, documentBytes: 3_000, logRows: 300 },
  small: { patients: 400, documents: 600, documentBytes: 12_000, logRows: 8_000 },
  medium: { patients: 5_000, documents: 10_000, documentBytes: 20_000, logRows: 200_000 },
} as const satisfies Record<string, EstateSize>;

/** A preset's name, or numbers of one's own; what is left out is as in `tiny`. */
export type EstateSizeChoice = keyof typeof estateSizes | Partial<EstateSize>;

export const sizeOf = (choice: EstateSizeChoice): EstateSize =>
  typeof choice === "string" ? estateSizes[choice] : { ...estateSizes.tiny, ...choice };
