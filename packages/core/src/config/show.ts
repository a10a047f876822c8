/** Makes any text safe for one line of a terminal or a log: quoted, control and direction characters escaped, cut to 60 characters. */
export const quote = (text: string): string => {
  const cut = text.length > 60 ? `${text.slice(0, 60)}…` : text;
  return JSON.stringify(cut).replace(/[^\x20-\x7e…]/gu, (character) =>
    /[\p{L}\p{N}\p{P}\p{S}]/u.test(character) ? character : `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
};

/** A text that may carry a credential although its field should not: an address with a user part or a query, a private key, JSON. */
const mayHoldCredential = (text: string): boolean => /[@?{]|AGE-SECRET-KEY|PRIVATE KEY/i.test(text);

/** What came in a field, in words for a message; `undefined` when it may hold a credential and must not be repeated. */
export const show = (value: unknown, field: string): string | undefined => {
  if (/password|secret|credential|token|webhook|recipient|identity|key/i.test(field)) return undefined;
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "an object";
  if (typeof value === "string") return mayHoldCredential(value) ? undefined : quote(value);
  return typeof value === "number" || typeof value === "boolean" ? String(value) : `a ${typeof value}`;
};
