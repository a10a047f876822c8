/** How an SMTP server is reached. */
export interface SmtpServer {
  readonly host: string;
  readonly port: number;
  /** `starttls`: TLS is required before anything is shown to the server. `implicit`: TLS from the first byte. */
  readonly tls: "starttls" | "implicit";
  /** PEM file of the authority that signed the server's certificate, where no public one did. */
  readonly caFile?: string;
}

/** SES's endpoint of a region. */
export const sesServer = (region: string): SmtpServer => ({
  host: `email-smtp.${region}.amazonaws.com${region.startsWith("cn-") ? ".cn" : ""}`,
  port: 587,
  tls: "starttls",
});

/** The region of an endpoint of SES, by its name; `undefined` for another server. */
export const sesRegionOf = (host: string): string | undefined =>
  /^email-smtp(?:-fips)?\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?\.?$/i.exec(host)?.[1]?.toLowerCase();
