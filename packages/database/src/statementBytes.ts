/**
 * Bytes after which a statement of rows ends and the next begins. When a row changes its length, all statements behind it
 * are cut elsewhere, and the repository takes what follows for new until old and new cuts fall on the same row again: with
 * n rows in a statement that takes about n statements. A megabyte each, mariadb-dump's own, never comes back; this does
 * within a few.
 */
export const statementBytes = 16_384;
