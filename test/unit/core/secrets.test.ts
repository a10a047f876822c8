import { execFileSync } from "node:child_process";
import { chmod, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readPasswordFile } from "@openemr-ops/core/config/passwordFile";
import { readSecret, type SecretReference } from "@openemr-ops/core/config/secrets";
import { InvalidInputError, SecretUnreadableError } from "@openemr-ops/core/errors";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const field = "installations[0].database.passwordFile";
let directory = "";
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "openemr-ops-secrets-"));
  await chmod(directory, 0o755);
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const written = async (name: string, content: string | Buffer, mode = 0o600): Promise<string> => {
  const path = join(directory, name);
  await writeFile(path, content, { mode });
  return path;
};

/** Runs as a user without rights; a test run by root could read every file. */
const asNobody = async <Result>(work: () => Promise<Result>): Promise<Result> => {
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) process.seteuid?.(65_534);
  try {
    return await work();
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
};

describe("a password file", () => {
  it.each([
    ["as it is", "s3cret"],
    ["without one line break at its end", "s3cret\n"],
    ["without a line break of Windows", "s3cret\r\n"],
    ["without a byte order mark", "\ufeffs3cret"],
  ])("is read %s", async (_, content) => {
    expect(await readPasswordFile(await written("p", content))).toEqual({
      password: "s3cret",
      readableByOthers: false,
    });
  });

  it("keeps spaces, quotes and letters of all alphabets", async () => {
    const password = ` '"\\Grüße 密码 `;
    expect(await readPasswordFile(await written("p", `${password}\n`))).toMatchObject({ password });
  });

  it.each([
    ["empty", "", "is empty"],
    ["only a line break", "\n", "is empty"],
    ["two lines", "s3cret\nmore\n", "has a line break inside; a password is one line"],
    ["a password and an empty line", "s3cret\n\n", "has a line break inside; a password is one line"],
    ["an old Mac's line break", "s3cret\r", "has a line break inside; a password is one line"],
    ["a zero byte", "s3c\0ret", "has a zero byte inside"],
    ["no text", Buffer.from([0xc3, 0x28]), "is not UTF-8 text"],
    ["something large", "x".repeat(4097), "holds more than 4096 bytes; expected one line with the password"],
  ])("is refused when it holds %s", async (_, content, problem) => {
    expect(await readPasswordFile(await written("bad", content))).toEqual({ problem });
  });

  it.each<[string, () => Promise<string>, string]>([
    ["absent", async () => join(directory, "absent"), "does not exist"],
    ["a directory", async () => directory, "is a directory; expected a file"],
    [
      "a pipe, for which nobody waits",
      async () => {
        execFileSync("/usr/bin/mkfifo", [join(directory, "pipe")]);
        return join(directory, "pipe");
      },
      "is not a regular file",
    ],
    [
      "a link to nothing",
      async () => {
        await symlink("nothing", join(directory, "link"));
        return join(directory, "link");
      },
      "does not exist",
    ],
    ["too long a name", async () => join(directory, "x".repeat(300)), "has too long a name"],
  ])("is refused when it is %s", async (_, make, problem) => {
    expect(await readPasswordFile(await make())).toEqual({ problem });
  });

  it("is refused when this user may not read it", async () => {
    const path = await written("locked", "s3cret");
    await chmod(path, 0o000);
    expect(await asNobody(() => readPasswordFile(path))).toEqual({ problem: "cannot be read: permission denied" });
  });

  it("is known to be readable by others", async () => {
    const path = await written("open", "s3cret");
    await chmod(path, 0o604);
    expect(await readPasswordFile(path)).toEqual({ password: "s3cret", readableByOthers: true });
  });
});

describe("a secret", () => {
  const file = (path: string): SecretReference => ({ kind: "file", path, field });
  const variable = (name: string): SecretReference => ({ kind: "environment", name, field });
  const ofAws: SecretReference = { kind: "aws", arn: "arn:aws:secretsmanager:eu-central-1:1:secret:db", field };

  it("comes from a file, anew each time", async () => {
    const read = readSecret({ environment: {} });
    const path = await written("rotated", "first");
    expect(await read(file(path))).toBe("first");
    await written("rotated", "second\n");
    expect(await read(file(path))).toBe("second");
  });

  it("comes from a variable", async () => {
    expect(await readSecret({ environment: { DB: "s3cret" } })(variable("DB"))).toBe("s3cret");
  });

  describe.each(["\n", "\r\n"])("with the line break %j that programs write at the end", (end) => {
    const everywhere = async (text: string): Promise<readonly string[]> => {
      const read = readSecret({ environment: { DB: text }, awsSecret: async () => text });
      const places = [file(await written("ends", text)), variable("DB"), ofAws, { ...ofAws, key: "reader" }];
      return Promise.all(places.map(read));
    };

    it("is the text before it, wherever it is kept", async () => {
      expect(await everywhere(`s3cret${end}`)).toEqual(Array(4).fill("s3cret"));
    });

    it("is refused when there are two, or nothing else", async () => {
      for (const text of [`s3cret${end}${end}`, end]) await expect(everywhere(text)).rejects.toThrow(InvalidInputError);
    });
  });

  it("comes from AWS through the adapter", async () => {
    const read = readSecret({ environment: {}, awsSecret: async (arn, key) => `${arn} ${key}` });
    expect(await read({ ...ofAws, key: "reader" })).toBe(`${ofAws.arn} reader`);
  });

  it.each<[string, Record<string, string>, SecretReference, string]>([
    ["its file is gone", {}, file("/nonexistent/p"), "does not exist"],
    ["its variable is not set", {}, variable("DB"), "the environment variable DB is not set"],
    ["its variable is empty", { DB: "" }, variable("DB"), "the value of the environment variable DB is empty"],
    [
      "its variable has a line break",
      { DB: "canary\nx" },
      variable("DB"),
      "the value of the environment variable DB has a line break inside; a password is one line",
    ],
    [
      "no adapter for AWS is there",
      {},
      ofAws,
      "this program was started without access to AWS secrets; use a password file",
    ],
  ])("is refused under its field's path when %s", async (_, environment, reference, message) => {
    await expect(readSecret({ environment })(reference)).rejects.toThrow(
      new InvalidInputError([{ path: field, message }]),
    );
  });

  it("is refused when AWS holds several lines", async () => {
    const read = readSecret({ environment: {}, awsSecret: async () => "canary\ncanary" });
    await expect(read(ofAws)).rejects.toThrow(
      new InvalidInputError([
        { path: field, message: "the value of that secret has a line break inside; a password is one line" },
      ]),
    );
  });

  it("lets the adapter's own failure through", async () => {
    const failure = new SecretUnreadableError("there is no secret");
    const read = readSecret({ environment: {}, awsSecret: () => Promise.reject(failure) });
    await expect(read(ofAws)).rejects.toBe(failure);
  });
});

it.each([0o660, 0o602, 0o622])("refuses a password file of mode %o, and says what to type", async (mode) => {
  const path = await written("open.password", "secret");
  await chmod(path, mode);

  expect(await readPasswordFile(path)).toEqual({
    problem: expect.stringMatching(/can be changed by its group or by others.*chmod 600/),
  });
});
