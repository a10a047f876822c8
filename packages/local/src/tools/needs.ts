import type { DebianPackages } from "./debianPackages.ts";
import { otherServers } from "./otherServers.ts";

/** What someone wants to run. Each purpose needs its own programs. */
export const purposes = ["test", "browser", "readers", "demo", "bench", "image", "install"] as const;
export type Purpose = (typeof purposes)[number];

/**
 * Environments of Python, each with a file of pins of its own: the demo needs no analytics, which is 550 MB, and the tests nothing
 * of what the benchmark compares with.
 */
export const venvs = ["python", "analytics", "bench"] as const;
export type Venv = (typeof venvs)[number];

/** One program and where it comes from. */
export interface Need {
  readonly program: string;
  /** A module of PHP that the package brings, where the program alone may be there without it. */
  readonly module?: string;
  readonly purposes: readonly Purpose[];
  /** `apt`: a package of Debian or Ubuntu; `go`, `pip` (PyPI) and `jars` (Maven Central): in the versions that `packages/local/tools` pins. */
  readonly from:
    | { readonly apt: string }
    | { readonly go: string }
    | { readonly pip: string; readonly venv: Venv }
    | { readonly jars: string };
}

const always: readonly Purpose[] = ["test", "demo", "bench"];

/** Every program that tests, demo and benchmark start and that npm does not bring. */
export const needs: readonly Need[] = [
  { program: "mariadbd", purposes: [...always, "image"], from: { apt: "mariadb-server" } },
  { program: "mariadb-install-db", purposes: [...always, "image"], from: { apt: "mariadb-server" } },
  { program: "mariadb", purposes: always, from: { apt: "mariadb-client" } },
  { program: "mariadb-dump", purposes: always, from: { apt: "mariadb-client" } },
  { program: "restic", purposes: always, from: { apt: "restic" } },
  { program: "zstd", purposes: always, from: { apt: "zstd" } },
  { program: "php", purposes: ["test", "bench"], from: { apt: "php-cli" } },
  { program: "php", module: "mysqli", purposes: ["test", "bench"], from: { apt: "php-mysql" } },
  { program: "age", purposes: ["test"], from: { apt: "age" } },
  { program: "openssl", purposes: ["test"], from: { apt: "openssl" } },
  { program: "strace", purposes: ["test"], from: { apt: "strace" } },
  { program: "systemd-analyze", purposes: ["test"], from: { apt: "systemd" } },
  { program: "bindfs", purposes: ["test"], from: { apt: "bindfs" } },
  { program: "zsh", purposes: ["test"], from: { apt: "zsh" } },
  { program: "podman", purposes: ["image"], from: { apt: "podman" } },
  { program: "runc", purposes: ["image"], from: { apt: "runc" } },
  { program: "debootstrap", purposes: ["image", "install"], from: { apt: "debootstrap" } },
  { program: "systemd-nspawn", purposes: ["install"], from: { apt: "systemd-container" } },
  { program: "mydumper", purposes: ["bench"], from: { apt: "mydumper" } },
  { program: "duplicity", purposes: ["bench"], from: { apt: "duplicity" } },
  { program: "rclone", purposes: ["bench"], from: { apt: "rclone" } },
  { program: "restic", purposes: ["test", "bench"], from: { go: "github.com/restic/restic/cmd/restic" } },
  {
    program: "versitygw",
    purposes: ["test", "bench", "image"],
    from: { go: "github.com/versity/versitygw/cmd/versitygw" },
  },
  { program: "fake-gcs-server", purposes: ["test"], from: { go: "github.com/fsouza/fake-gcs-server" } },
  { program: "cfn-lint", purposes: ["test"], from: { pip: "cfn-lint", venv: "python" } },
  { program: "moto_server", purposes: always, from: { pip: "moto", venv: "python" } },
  { program: "aws", purposes: ["test", "bench"], from: { pip: "awscli", venv: "python" } },
  { program: "chromium", purposes: ["browser"], from: { apt: "chromium" } },
  { program: "javac", purposes: ["readers"], from: { apt: "default-jdk-headless" } },
  { program: "parquet-java", purposes: ["readers"], from: { jars: "parquet-hadoop" } },
  { program: "analytics-python", purposes: ["test"], from: { pip: "pyarrow", venv: "analytics" } },
  { program: "bench-python", purposes: ["bench"], from: { pip: "connectorx", venv: "bench" } },
];

/** What is to be done before the purpose can run. Empty lists: nothing. */
export interface InstallPlan {
  /** Package names for apt-get. */
  readonly apt: readonly string[];
  /** Go packages to build into `.tools/bin`. */
  readonly go: readonly Need[];
  /** Python programs; a venv in `.tools` holds all of its kind. */
  readonly pip: readonly Need[];
  /** Programs in Java. */
  readonly jars: readonly Need[];
  /** Servers of another Debian, to be unpacked into `.tools`. The tests go on without those that cannot be had. */
  readonly debian: readonly DebianPackages[];
}

/** Says what is missing. `systemHas` looks at the system alone, `ownHas` at what the project installed for itself. */
export const planInstall = (
  purpose: Purpose,
  {
    systemHas,
    ownHas,
    isUnpacked,
  }: {
    systemHas: (program: string, module?: string) => boolean;
    ownHas: (program: string) => boolean;
    isUnpacked: (packages: DebianPackages) => boolean;
  },
): InstallPlan => {
  const wanted = needs.filter(({ purposes: for_ }) => for_.includes(purpose));
  const go = wanted.filter(({ program, from }) => "go" in from && !ownHas(program));
  const pip = wanted.filter(({ program, from }) => "pip" in from && !ownHas(program));
  const jars = wanted.filter(({ program, from }) => "jars" in from && !ownHas(program));
  const apt = new Set<string>();
  for (const { program, module, from } of wanted) if ("apt" in from && !systemHas(program, module)) apt.add(from.apt);
  const debian = purpose === "test" ? otherServers.filter((packages) => !isUnpacked(packages)) : [];
  return { apt: [...apt], go, pip, jars, debian };
};
