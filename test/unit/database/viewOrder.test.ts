import { viewOrder } from "@openemr-ops/database/viewOrder";
import fc from "fast-check";
import { expect, it } from "vitest";

const over = (name: string, ...others: readonly string[]) => ({
  name,
  definition: `select 1 from ${["t", ...others].map((other) => `\`s\`.\`${other}\``).join(" join ")}`,
});

it("puts each view behind those it reads from, and keeps the others in order", () => {
  expect(viewOrder("s", [over("a", "m", "z"), over("b"), over("m", "z"), over("z")])).toEqual(["z", "m", "a", "b"]);
});

it("tells a view from a table of another schema, and from a longer name", () => {
  const definition = "select 1 from `other`.`z` join `s`.`z2`";

  expect(viewOrder("s", [{ name: "a", definition }, over("z")])).toEqual(["a", "z"]);
});

it("reads names with a backtick", () => {
  expect(viewOrder("s`", [{ name: "a", definition: "select 1 from `s```.`z```" }, over("z`")])).toEqual(["z`", "a"]);
});

it("names each view once, whatever their texts seem to refer to", () =>
  fc.assert(
    fc.property(
      fc
        .uniqueArray(fc.constantFrom("a", "b", "c", "d", "e"))
        .chain((names) =>
          fc.tuple(...names.map((name) => fc.subarray([...names]).map((others) => over(name, ...others)))),
        ),
      (views) => {
        expect([...viewOrder("s", views)].sort()).toEqual(views.map(({ name }) => name).sort());
      },
    ),
  ));
