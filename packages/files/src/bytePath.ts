const ascii = /^[^\x80-\xff]*$/;

/**
 * Makes a path of a directory and a name that was read as Latin-1, one character a byte. Names need not be UTF-8: uploads
 * of old kept the bytes of the sender's computer, and read as UTF-8 such a file cannot be found again.
 */
export const bytePath = (directory: string, below: string): Buffer =>
  below === ""
    ? Buffer.from(directory)
    : ascii.test(below)
      ? Buffer.from(`${directory}/${below}`)
      : Buffer.concat([Buffer.from(`${directory}/`), Buffer.from(below, "latin1")]);
