import { type DefaultTreeAdapterTypes, parse } from "parse5";

type Node = DefaultTreeAdapterTypes.Node;
export type Element = DefaultTreeAdapterTypes.Element;

const childrenOf = (node: Node): readonly Node[] => ("childNodes" in node ? node.childNodes : []);

/** All elements below a node, in the order of the page. */
export const elementsIn = (node: Node): readonly Element[] =>
  childrenOf(node).flatMap((child) => ("tagName" in child ? [child, ...elementsIn(child)] : elementsIn(child)));

export const textOf = (node: Node): string => ("value" in node ? node.value : childrenOf(node).map(textOf).join(""));

export const attributeOf = (element: Element, name: string): string | undefined =>
  element.attrs.find((one) => one.name === name)?.value;

/** A page as a browser's parser has it, by parse5, which knows nothing of the program that wrote it. */
export const parsePage = (source: string) => {
  const errors: string[] = [];
  const document = parse(source, {
    onParseError: ({ code, startLine }) => errors.push(`${code} in line ${startLine}`),
  });
  const elements = elementsIn(document);
  return {
    errors,
    elements,
    all: (...names: readonly string[]) => elements.filter(({ tagName }) => names.includes(tagName)),
    byId: (id: string) => elements.find((element) => attributeOf(element, "id") === id),
  };
};

/** The exact value of a cell: that of its `data` or `time`, else its text; nothing of an empty one. */
const exactOf = (cell: Element): string | number | undefined => {
  const [data] = elementsIn(cell).filter(({ tagName }) => tagName === "data");
  const [time] = elementsIn(cell).filter(({ tagName }) => tagName === "time");
  if (data) return Number(attributeOf(data, "value"));
  if (time) return attributeOf(time, "datetime");
  return textOf(cell) || undefined;
};

/** Rows of a table by its headings, with exact values. */
export const rowsOf = (
  table: Element | undefined,
): readonly Readonly<Record<string, string | number | undefined>>[] => {
  if (!table) return [];
  const [head, ...rows] = elementsIn(table).filter(({ tagName }) => tagName === "tr");
  const cellsOf = (row: Element) => elementsIn(row).filter(({ tagName }) => tagName === "th" || tagName === "td");
  const headings = head ? cellsOf(head).map(textOf) : [];
  return rows.map((row) => Object.fromEntries(cellsOf(row).map((cell, index) => [headings[index], exactOf(cell)])));
};
