const ascii = /^[^\x80-\xff]*$/;

/** A path as the system takes it: text, or the bytes themselves. */
export type BytePath = string | Buffer;

/**
 * Makes a path of a directory and a name that was read as Latin-1, one character a byte. Names need not be UTF-8: uploads
 * of old kept the bytes of the sender's computer, and read as UTF-8 such a file cannot be found again.
 */
export const bytePath = (directory: string, below: string): BytePath =>
  below === ""
    ? directory
    : ascii.test(below)
      ? `${directory}/${below}`
      : Buffer.concat([Buffer.from(`${directory}/`), Buffer.from(below, "latin1")]);
