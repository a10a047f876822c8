/** The cluster of RDS in its endpoint, for writing or for reading: AWS makes the name of one of the other. */
export const clusterOfEndpoint = (host: string): string | undefined =>
  /^([a-z][a-z0-9-]*)\.cluster-(?:ro-)?[a-z0-9]+\.[a-z0-9-]+\.rds\.amazonaws\.com(?:\.cn)?$/.exec(host)?.[1];
