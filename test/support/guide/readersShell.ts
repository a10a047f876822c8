import { spawn } from "node:child_process";
import { once } from "node:events";

/** What a block printed, on both streams. */
export type Printed = string;

/** A terminal in which a reader types one block after the other: variables, functions and the directory stay. */
export interface ReadersShell extends AsyncDisposable {
  /** @throws {Error} a command failed; the message has the block and what was printed */
  type(block: string): Promise<Printed>;
}

const end = "--- end of the block ---";

/** A shell that ends at the first command that fails, as a careful reader stops there. Commands get no standard input. */
export const readersShell = (cwd: string, env: Readonly<Record<string, string>>): ReadersShell => {
  const shell = spawn("bash", ["--noprofile", "--norc"], { cwd, env, stdio: ["pipe", "pipe", "pipe"] });
  let printed = "";
  let onPrint = () => {};
  for (const stream of [shell.stdout, shell.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      printed += text;
      onPrint();
    });
  const closed = once(shell, "close");
  shell.stdin.write("set -euo pipefail\nexec 2>&1\n");
  return {
    type: async (block) => {
      printed = "";
      const done = new Promise<void>((resolve) => {
        onPrint = () => {
          if (printed.includes(end)) resolve();
        };
      });
      shell.stdin.write(`{\n${block}\n} < /dev/null\nprintf '%s\\n' '${end}'\n`);
      const ended = await Promise.race([done, closed.then(([code]: unknown[]) => String(code))]);
      if (ended !== undefined) throw new Error(`exit status ${ended}\n${block}\n${printed}`);
      return printed.slice(0, printed.indexOf(end));
    },
    [Symbol.asyncDispose]: async () => {
      shell.stdin.destroy();
      if (shell.exitCode === null) shell.kill();
      await closed;
    },
  };
};
