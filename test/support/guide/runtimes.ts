/**
 * Runtimes of functions in a template, JSON or YAML; `none` for a function that names none.
 *
 * Read from the text: a runtime that only a condition selects counts too.
 */
export const runtimesIn = (template: string): readonly string[] => {
  const functions = template.match(/AWS::Lambda::Function["']?(?=\s|,|$)/gm) ?? [];
  const runtimes = [...template.matchAll(/["']?Runtime["']?:\s*["']?([a-z][\w.]*)/g)].map(([, name = ""]) => name);
  return runtimes.length < functions.length ? [...runtimes, "none"] : runtimes;
};
