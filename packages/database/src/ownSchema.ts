import type { DatabaseAccess } from "./access.ts";
import { connectReadOnly, type DatabaseConnection } from "./connection.ts";
import { type Token, TokenReader, UnreadableSql } from "./sqlTokens.ts";

/** A schema's name as the server itself prints it: in lower case where it keeps all names so, however ours was written. */
export const nameOnServer = async (connection: DatabaseConnection, schema: string): Promise<string> => {
  const [row] = await connection.rows("SELECT @@lower_case_table_names AS folds");
  return Number(row?.folds) === 1 ? schema.toLowerCase() : schema;
};

/** Whether a server takes two names for one schema: names that differ only in their letters' case, where it folds them. */
export const isSameSchema = async (access: DatabaseAccess, one: string, other: string): Promise<boolean> => {
  if (one === other || one.toLowerCase() !== other.toLowerCase()) return one === other;
  await using connection = await connectReadOnly(access, undefined);
  const [row] = await connection.rows("SELECT @@lower_case_table_names AS folds");
  return Number(row?.folds) !== 0; // 2 keeps them as they are written, and compares them all the same
};

/** Names in front of a point. Texts and comments hold none. */
const qualifiers = (sql: string): readonly (readonly [qualifier: Token, name: Token])[] => {
  try {
    const { tokens } = new TokenReader(sql);
    return tokens.flatMap((token, index) => {
      const [point, name] = tokens.slice(index + 1, index + 3);
      const qualifies = token.kind === "name" && point?.kind === "mark" && point.text === "." && name?.kind === "name";
      return qualifies ? [[token, name] as const] : [];
    });
  } catch (error) {
    if (error instanceof UnreadableSql) return []; // the grammar of the dump refuses it
    throw error;
  }
};

const utf8 = (latin1: string): string => Buffer.from(latin1, "latin1").toString();

/** Schemas that an expression of the server's names; it writes its own schema's name too. */
export const schemasIn = (expression: string): readonly string[] =>
  qualifiers(Buffer.from(expression).toString("latin1")).map(([{ text }]) => utf8(text));

/**
 * A table's statements without their own schema's name: with it a restored table would draw from the source's sequences.
 *
 * @param sql one character a byte (Latin-1)
 */
export const withoutOwnSchema = (sql: string, schema: string): string => {
  let rest = 0;
  const parts: string[] = [];
  for (const [qualifier, name] of qualifiers(sql)) {
    if (utf8(qualifier.text) !== schema) continue;
    parts.push(sql.slice(rest, qualifier.start));
    rest = name.start;
  }
  return parts.join("") + sql.slice(rest);
};
