/** What may be done once of a job or a schedule, by whom: rights are given to each of these by itself. */
export type OnceTopic = "started" | "ended" | "overdue" | "slack" | "mail";

/**
 * Partition keys of the jobs' table. Rights are given by them and by nothing else, so a key alone says whose an item is and
 * who may write it; no attribute of an item does. An installation's name has no `#`, so no key is the beginning of another
 * one's. `"*"` in place of the installation makes the pattern for all of them.
 */
export const partitions = {
  /** Records of jobs, written by the functions of the workflows alone. */
  records: (installation: string) => `JOB#${installation}`,
  /** What a job that runs got to; its container writes it too. */
  steps: (installation: string) => `STEPS#${installation}`,
  locks: (installation: string) => `LOCK#${installation}`,
  /** What was done once. */
  once: (topic: OnceTopic, installation: string) => `ONCE#${topic}#${installation}`,
  /** Where people were notified of jobs. */
  threads: (installation: string) => `THREAD#${installation}`,
  /** Which job a container belongs to, as whoever started it from a notebook knows it. */
  tasks: (installation: string) => `TASK#${installation}`,
} as const;
