/** How the bucket of a destination is reached: what our own client found out, for another program to do the same. */
export interface S3Access {
  /** Scheme, name and port, without the bucket. */
  readonly server: string;
  readonly region: string;
  /** `https://server/bucket` rather than `https://bucket.server`. */
  readonly pathStyle: boolean;
  /** Environment variables with which a program signs its requests: keys, or where it gets and renews keys itself. */
  readonly credentials: Readonly<Record<string, string>>;
}
