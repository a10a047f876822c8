import { quote } from "./show.ts";

/** `["installations", 0, "database"]` as `installations[0].database`. Odd names are quoted in brackets. */
export const fieldPath = (path: readonly PropertyKey[]): string =>
  path.reduce<string>((text, part) => {
    if (typeof part === "number") return `${text}[${part}]`;
    const name = String(part);
    if (!/^[A-Za-z_$][\w$]{0,59}$/.test(name)) return `${text}[${quote(name)}]`;
    return text ? `${text}.${name}` : name;
  }, "");

/** The value at a path of any JSON-like value; `undefined` when there is none. Own properties only. */
export const valueAt = (value: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>(
    (inner, part) =>
      typeof inner === "object" && inner !== null && Object.hasOwn(inner, part)
        ? (inner as Readonly<Record<PropertyKey, unknown>>)[part]
        : undefined,
    value,
  );
