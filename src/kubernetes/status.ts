import { ApiError, type StatusDetails } from './error.ts';

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

interface Status {
  kind: 'Status';
  message?: string;
  reason?: string;
  details?: StatusDetails;
}

function parseStatus(body: string): Status | undefined {
  try {
    const value: unknown = JSON.parse(body);
    const isStatus =
      typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'Status';
    return isStatus ? (value as Status) : undefined;
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
