/** What is wrong with a pairing or a connection, and what to do. */
export interface Diagnostic {
  /** Stable, as `relay_disabled`. */
  readonly code: string;
  readonly severity: "error" | "warning";
  readonly message: string;
  readonly field?: string;
  readonly expected?: string;
  readonly received?: string;
}
