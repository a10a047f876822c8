import { resticError } from "@openemr-ops/dumps/store/resticErrors";
import { unpackFailure } from "@openemr-ops/dumps/store/tarTree";
import { describe, expect, it } from "vitest";

const said = (errors: string, code = 1) =>
  resticError("storing", { code, signal: null, errors }, { cacheDirectory: "/var/lib/openemr-ops/restic-cache" });

/** As the real programs said it, 0.14.0 and 0.19.1; names of hosts and paths changed. */
describe("what restic says is attributed to the side it came from", () => {
  it.each([
    // the temporary directory
    [
      "Fatal: unable to save snapshot: Write: write /tmp/restic-temp-pack-1255569331: no space left on device",
      "DiskFullError",
    ],
    [
      "Fatal: unable to save snapshot: open /absent/restic-temp-pack-4193337806: no such file or directory",
      "LocalSystemError",
    ],
    [
      "Fatal: unable to save snapshot: fs.TempFile: open /absent/restic-temp-pack-2144285432: no such file or directory",
      "LocalSystemError",
    ],
    ["Fatal: unable to save snapshot: open /tmp/restic-temp-pack-1: permission denied", "LocalSystemError"],
    ["Fatal: unable to save snapshot: open /tmp/restic-temp-pack-1: too many open files", "LocalSystemError"],
    ["Fatal: mkdir /tmp/restic-check-cache-1: disk quota exceeded", "DiskFullError"],
    [
      "Fatal: create key in repository at /tmp/openemr-ops-repository-x failed: write /tmp/openemr-ops-repository-x/keys/1: no space left on device",
      "DiskFullError",
    ],
    [
      '{"message_type":"exit_error","code":1,"message":"Fatal: unable to save snapshot: write /tmp/restic-temp-pack-1: no space left on device"}',
      "DiskFullError",
    ],
    // the cache, which only gets in the way of nothing
    [
      "unable to open cache: write /var/lib/openemr-ops/restic-cache/CACHEDIR.TAG: no space left on device\nFatal: unable to open repository: Stat: Access Denied.",
      "DestinationAccessDeniedError",
    ],
    ["Fatal: open /var/lib/openemr-ops/restic-cache/ab/index/1: no space left on device", "DiskFullError"],
    // the destination
    [
      "Fatal: unable to save snapshot: Save(<data/1>) returned error: write /srv/backup/data/1-tmp-1: no space left on device",
      "DestinationFullError",
    ],
    ["Fatal: unable to save snapshot: write /srv/backup/data/1: disk quota exceeded", "DestinationFullError"],
    [
      "Fatal: unable to create lock in backend: open /srv/backup/locks/1-tmp: read-only file system",
      "DestinationAccessDeniedError",
    ],
    ["Fatal: unable to open repository: stat /srv/backup/config: input/output error", "DestinationUnavailableError"],
    ["Fatal: unable to open repository: stat /srv/backup/config: stale NFS file handle", "DestinationUnavailableError"],
    [
      "Fatal: unable to open repository: stat /srv/backup/config: transport endpoint is not connected",
      "DestinationUnavailableError",
    ],
    [
      "Fatal: unable to open config file: Stat: dial tcp 10.0.0.1:443: connect: connection refused",
      "DestinationUnavailableError",
    ],
    [
      "Fatal: unable to open config file: Stat: dial tcp: lookup s3.example.org: no such host",
      "DestinationUnavailableError",
    ],
    [
      "Fatal: unable to open config file: tls: failed to verify certificate: x509: certificate signed by unknown authority",
      "DestinationAccessDeniedError",
    ],
    ["Fatal: unable to save snapshot: The provided token has expired.", "DestinationAccessDeniedError"],
    [
      "Fatal: unable to save snapshot: The security token included in the request is expired",
      "DestinationAccessDeniedError",
    ],
    [
      "Fatal: unable to open config file: Stat: The Access Key Id you provided does not exist in our records.",
      "DestinationAccessDeniedError",
    ],
    [
      "Fatal: repository does not exist: unable to open config file: Stat: The specified bucket does not exist",
      "DestinationMissingError",
    ],
    [
      "Fatal: unable to open config file: stat /srv/backup/config: no such file or directory\nIs there a repository at the following location?\n/srv/backup",
      "DestinationMissingError",
    ],
    ["Fatal: wrong password or no key found", "RepositoryPasswordError"],
    [
      "unable to create lock in backend: repository is already locked exclusively by PID 1 on host by root (UID 0, GID 0)\nlock was created at 2026-01-01 00:00:00 (1s ago)\nstorage ID 1\nthe `unlock` command can be used to remove stale locks",
      "InstallationBusyError",
    ],
    ["Fatal: load <data/12>: hash mismatch", "IntegrityError"],
    ["error for tree 123: not found\nFatal: repository contains errors", "IntegrityError"],
    ["Fatal: ciphertext verification failed", "IntegrityError"],
    [
      'Save(<data/12>) returned error, retrying after 1s: Post "https://storage.googleapis.com/": oauth2/google: status code 400: {"error":"invalid_grant"}',
      "DestinationAccessDeniedError",
    ],
    [
      "Load(<key/12>, 0, 0) retrying: googleapi: Error 401: Invalid Credentials, authError",
      "DestinationAccessDeniedError",
    ],
    ['{"message_type":"error","item":"/sites/oauth2 invalid_grant","error":{"message":"a"}}', "ToolFailedError"],
    ["error: open /sites/googleapi: Error 401 x: oauth2 invalid_grant", "ToolFailedError"],
    // nobody knows
    ["runtime: out of memory: cannot allocate 4194304-byte block", "LocalSystemError"],
    ["fatal error: runtime: cannot allocate memory", "LocalSystemError"],
    ["panic: nil pointer", "ToolFailedError"],
    ["", "ToolFailedError"],
  ])("%s", (errors, name) => expect(said(errors).name).toBe(name));

  it.each([
    [10, "DestinationMissingError"],
    [11, "InstallationBusyError"],
    [12, "RepositoryPasswordError"],
    [2, "ToolFailedError"],
  ])("exit status %i without a message", (code, name) => expect(said("", code).name).toBe(name));
});

/** As GNU tar 1.34 said it. */
describe("what tar says of an archive that it unpacks is attributed to the side it came from", () => {
  it.each([
    [
      "tar: t/a: Cannot open: No space left on device\ntar: Exiting with failure status due to previous errors",
      "DiskFullError",
    ],
    [
      "tar: t/big: Wrote only 4096 of 10240 bytes\ntar: Exiting with failure status due to previous errors",
      "DiskFullError",
    ],
    ["tar: t/a: Cannot open: Disk quota exceeded", "DiskFullError"],
    [
      "tar: t: Cannot mkdir: Read-only file system\ntar: t/default: Cannot mkdir: No such file or directory",
      "LocalSystemError",
    ],
    ["tar: t/a: Cannot open: Permission denied", "LocalSystemError"],
    ["tar: t/a: Cannot write: Input/output error", "LocalSystemError"],
    ["tar: t/a: Cannot open: Too many open files", "LocalSystemError"],
    ["tar: t/a: Cannot open: File exists", "IntegrityError"],
    ["tar: Unexpected EOF in archive\ntar: Error is not recoverable: exiting now", "IntegrityError"],
    ["tar: This does not look like a tar archive\ntar: Skipping to next header", "IntegrityError"],
    [
      "tar: t/a: Cannot change ownership to uid 33, gid 33: Operation not permitted\ntar: Unexpected EOF in archive",
      "IntegrityError",
    ],
    ["tar: t/a: Cannot change ownership to uid 33, gid 33: Input/output error", "LocalSystemError"],
  ])("%s", (errors, name) => expect(unpackFailure(errors, "/srv/copy")?.name).toBe(name));

  it("is no failure where only attributes could not be set", () => {
    const words = [
      "tar: t/a: Cannot change ownership to uid 33, gid 33: Disk quota exceeded",
      "tar: t/b\\n: Cannot change mode to rwxr-x---: Operation not permitted",
      "tar: t/c: Cannot utime: Operation not permitted",
      "tar: t/d: time stamp 2036-01-01 00:00:00 is 1.5 s in the future",
      "tar: Exiting with failure status due to previous errors",
    ];
    expect(unpackFailure(words.join("\n"), "/srv/copy")).toBeUndefined();
  });
});
