/** Where dumps go, taken apart and checked. */
export type DestinationAddress =
  | {
      readonly kind: "file";
      /** Absolute. */
      readonly directory: string;
    }
  | {
      readonly kind: "s3";
      readonly bucket: string;
      /** Segments joined by `/`, none at either end; empty is the bucket's root. */
      readonly prefix: string;
      /** A server that speaks S3; not set means AWS. No path, no `/` at the end. */
      readonly endpoint?: string;
      /** Not set: what AWS's usual environment says. `us-east-1` for an endpoint of one's own. */
      readonly region?: string;
      /** `https://server/bucket` rather than `https://bucket.server`. */
      readonly pathStyle: boolean;
    }
  | { readonly kind: "gcs"; readonly bucket: string; readonly prefix: string };
