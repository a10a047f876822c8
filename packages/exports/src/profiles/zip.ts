/**
 * Areas of three digits with more than 20,000 people: 45 CFR 164.514(b)(2)(i)(B) lets only these leave. Census of 2020
 * (Demographic and Housing Characteristics, table P1, ZIP code tabulation areas added up by their first three digits), without
 * those that were small in 2000 and have grown since. A list of what may leave: military mail and areas that nobody counted
 * are not in it. To be replaced after the next census.
 */
const largeAreas = `
  006-007 009-035 037-054 056-058 060-062 064-089 100-101 103-191 193-201 206-212 214-268 270-310 312-331 333-339
  341-342 344 346-347 349-352 354-368 370-374 376-398 400-418 420-427 430-458 460-508 510-516 520-528 530-532 534-535
  537-551 553-554 557-567 570-577 580-588 590-620 622-631 633-641 644-648 650-658 660-662 664-681 683-691 693 700-701
  703-708 710-714 716-731 734-741 743-752 754-770 773-789 791-816 820 822 824-829 832-838 840-841 843-847 850-853
  855-857 859-860 863-865 870-871 873-875 877 880-883 891 894-895 897-898 900 902-908 910-928 930-937 939-941 943-961
  967-968 970-986 988-999
`;

const large: ReadonlySet<string> = new Set(
  largeAreas
    .trim()
    .split(/\s+/)
    .flatMap((range) => {
      const [first = 0, last = first] = range.split("-").map(Number);
      return Array.from({ length: last - first + 1 }, (_, index) => String(first + index).padStart(3, "0"));
    }),
);

/** The first three digits of a ZIP or ZIP+4 code; `000` for a small area, nothing for what is no ZIP code. */
export const zip3 = (text: Buffer): string | undefined => {
  const digits = /^\s*(\d{3})\d\d(?:-?\d{4})?\s*$/.exec(text.toString("latin1"))?.[1];
  return digits === undefined || large.has(digits) ? digits : "000";
};
