import { ApiError, type StatusCause, type StatusDetails } from '../error.ts';
import { isJsonObject, objectsIn, text } from '../json.ts';

type HeaderValues = Record<string, string | string[] | undefined>;

/**
 * Reads an answer that is not 2xx. A body that is no Status (a load balancer's page) is left out of the
 * message, since nobody knows what is in it.
 */
export function parseApiError(status: number, headers: HeaderValues, body: string): ApiError {
  const parsed = parseStatus(body);
  return new ApiError({
    status,
    message: parsed?.message || `HTTP status ${status}`,
    reason: parsed?.reason,
    details: parsed?.details,
    auditId: first(headers['audit-id']),
    retryAfter: retryAfterSeconds(first(headers['retry-after'])),
  });
}

/** What a Status says, as far as it is of the type it ought to be. */
export interface Status {
  code: number | undefined;
  message: string | undefined;
  reason: string | undefined;
  details: StatusDetails | undefined;
}

export function readStatus(value: unknown): Status {
  const { code, message, reason, details } = isJsonObject(value) ? value : {};
  return {
    code: typeof code === 'number' ? code : undefined,
    message: text(message),
    reason: text(reason),
    details: isJsonObject(details) ? readDetails(details) : undefined,
  };
}

function readDetails(details: Record<string, unknown>): StatusDetails {
  const { retryAfterSeconds: seconds, causes } = details;
  return {
    ...texts(details, ['name', 'group', 'kind', 'uid']),
    ...(Array.isArray(causes) && {
      causes: objectsIn<StatusCause>(causes).map((cause) => texts(cause, ['reason', 'message', 'field'])),
    }),
    // A pause that is no number would be none at all.
    ...(typeof seconds === 'number' && seconds >= 0 && { retryAfterSeconds: seconds }),
  };
}

/** Those of the fields that are text. */
function texts<F extends string>(value: object, fields: readonly F[]): Partial<Record<F, string>> {
  const known = Object.entries(value).filter(
    ([name, of]) => fields.some((field) => field === name) && text(of) !== undefined,
  );
  return Object.fromEntries(known) as Partial<Record<F, string>>;
}

function parseStatus(body: string): Status | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return isJsonObject(value) && value.kind === 'Status' ? readStatus(value) : undefined;
  } catch {
    return undefined;
  }
}

/** Seconds, or a date (https://www.rfc-editor.org/rfc/rfc9110#field.retry-after). */
function retryAfterSeconds(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d+$/.test(value)) return Number(value);
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, (date - Date.now()) / 1000);
}

function first(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
