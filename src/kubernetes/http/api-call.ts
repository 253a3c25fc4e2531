export interface ApiRequest {
  method: 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE';
  /** Path below the server's URL, such as `/api/v1/namespaces`; names in it are already escaped. */
  path: string;
  query?: Record<string, string | number | boolean | undefined> | undefined;
  /** Sent as JSON, nothing added and nothing dropped. */
  body?: unknown;
  contentType?: string;
  /** Default `application/json`. With a type that is not JSON the body is returned as a string. */
  accept?: string;
  signal: AbortSignal;
  /** Whether the call may be repeated after an unclear end; default: true for everything but POST. */
  idempotent?: boolean;
}

export interface ApiResponse<T> {
  status: number;
  body: T;
  /** Texts of the `Warning` headers. */
  warnings: string[];
}
