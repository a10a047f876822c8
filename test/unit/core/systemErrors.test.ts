import { constants } from "node:os";
import { DiskFullError, LocalSystemError, toOpsError, UnexpectedError } from "@openemr-ops/core/errors";
import { codeAtEnd, failureOf } from "@openemr-ops/core/systemErrors";
import { describe, expect, it } from "vitest";

const codes = Object.keys(constants.errno);
const failed = (code: string) =>
  Object.assign(new Error(`${code}: open '/srv/sites/jane-doe.pdf'`), { code, syscall: "open", errno: -1 });

describe("a failed system call that nobody named on its way", () => {
  it.each(codes)("%s is this machine's and never an unforeseen failure", (code) => {
    const error = toOpsError(failed(code));

    expect([DiskFullError, LocalSystemError].some((kind) => error instanceof kind)).toBe(true);
    expect(error.message).toContain(code);
    expect(error.message).toContain("open");
    expect(error.message).not.toContain("jane-doe");
  });

  it.each(["ENOSPC", "EDQUOT"])("%s is a full disk", (code) => {
    expect(toOpsError(failed(code))).toBeInstanceOf(DiskFullError);
  });

  it("is not made of what only looks like one", () => {
    expect(toOpsError(Object.assign(new Error("odd"), { code: "ERR_ODD" }))).toBeInstanceOf(UnexpectedError);
    expect(toOpsError(new TypeError("x is not a function"))).toBeInstanceOf(UnexpectedError);
    expect(toOpsError("thrown")).toBeInstanceOf(UnexpectedError);
  });
});

describe("the words that a program ends a line with", () => {
  it.each([
    ["write /tmp/restic-temp-pack-1: no space left on device", "ENOSPC"],
    ["tar: a: b: Cannot open: Permission denied", "EACCES"],
    ["lchown /srv/x: invalid argument", "EINVAL"],
  ])("tell the code of %j", (line, code) => expect(codeAtEnd(line)).toBe(code));

  it.each(["tar: no space left on device: Cannot odd", "load blob: ciphertext verification failed", ""])(
    "tell none of %j",
    (line) => expect(codeAtEnd(line)).toBeUndefined(),
  );

  it("belong to one kind of failure each", () => {
    expect(failureOf("ENOSPC")).toBe("space");
    expect(failureOf("EROFS")).toBe("refused");
    expect(failureOf("EIO")).toBe("fault");
  });
});
