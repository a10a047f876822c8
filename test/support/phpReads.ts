import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** What PHP itself makes of one `sqlconf.php`. Texts are one character a byte. */
export interface PhpReading {
  /** What the file prints. */
  readonly output: string;
  readonly variables: Readonly<Record<string, unknown>>;
  /** The global array `$sqlconf`, from which OpenEMR connects. */
  readonly sqlconf: Readonly<Record<string, unknown>> | null;
}

/** Each file is read where OpenEMR reads it: at the top of a script, and inside a function. Each has a process of its own, by fork. */
const script = `
$plain = function ($value) use (&$plain) {
  if (is_array($value)) return array_map($plain, $value);
  return is_string($value) ? 'text ' . base64_encode($value) : $value;
};
function inside($file) { include $file; return get_defined_vars(); }
foreach (array_slice($argv, 1) as $file) {
  foreach (['top', 'function'] as $where) {
    $pid = pcntl_fork();
    if ($pid) { pcntl_waitpid($pid, $status); echo "\\x1e"; continue; }
    $before = array_fill_keys(array_keys(get_defined_vars()), true) + ['before' => true];
    ob_start();
    try {
      if ($where === 'top') { include $file; $vars = array_diff_key(get_defined_vars(), $before); }
      else { $vars = array_diff_key(inside($file), ['file' => true]); }
      $array = $sqlconf ?? null;
      if ($where === 'function' && !is_array($array)) $array = $vars['sqlconf'] ?? null;
      $read = ['variables' => (object) $plain($vars), 'sqlconf' => is_array($array) ? (object) $plain($array) : null];
    } catch (Throwable $error) { $read = ['variables' => (object) [], 'sqlconf' => null, 'error' => get_class($error)]; }
    $output = ob_get_clean();
    echo json_encode(['output' => $plain((string) $output)] + $read, JSON_THROW_ON_ERROR | JSON_PRESERVE_ZERO_FRACTION);
    fflush(STDOUT); posix_kill(getmypid(), 9);
  }
}`;

/** Reads files as OpenEMR does. @returns for each file its reading at the top of a script, then the one inside a function */
export const phpReads = async (paths: readonly string[]): Promise<readonly (readonly [PhpReading, PhpReading])[]> => {
  const options = ["-d", "display_errors=1", "-d", "error_reporting=-1", "-r", script, "--", ...paths];
  const { stdout } = await run("php", options, { maxBuffer: 1 << 28 });
  const unpacked = (_: string, value: unknown) =>
    typeof value === "string" && value.startsWith("text ")
      ? Buffer.from(value.slice(5), "base64").toString("latin1")
      : value;
  const readings = stdout.split("\x1e").map((block): PhpReading => {
    if (block.startsWith("{")) return JSON.parse(block, unpacked) as PhpReading;
    return { output: block, variables: {}, sqlconf: null }; // PHP ended on a fatal error
  });
  return paths.map((_, index) => {
    const [top, inside] = readings.slice(2 * index);
    if (!top || !inside) throw new Error("PHP read too few files");
    return [top, inside];
  });
};
