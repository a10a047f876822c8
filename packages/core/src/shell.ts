/** A text as one word of a shell, in quotes. */
export const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;

/** A text as one word of a shell, in quotes where it needs them. */
export const shellWord = (text: string): string => (/^[A-Za-z0-9_./@:+-]+$/.test(text) ? text : quoted(text));
