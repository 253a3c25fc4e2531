import { z } from 'zod';
import type { Carried } from './portable.ts';

/**
 * What a run wrote down is good for this long: long enough to look after a run that failed in the evening. Later, what
 * is not registered may be so on purpose, and would come back.
 */
export const MOST_AGE_MS = 24 * 3600 * 1000;

/** What an agent held, as it was written down before its pod went. */
export interface Kept {
  carried: Carried;
  /** Uid of the pod that held it; undefined where it was not written down. */
  pod: string | undefined;
  /** Since when it waits, where that is too long, or not known. */
  tooOld?: string;
}

const registrations = z.array(z.record(z.string(), z.unknown()));
const record = z.object({
  services: registrations,
  checks: registrations,
  maintenance: z.array(z.object({ service: z.string(), reason: z.string() })),
  /** RFC 3339; an earlier version wrote neither of these. */
  at: z.string().optional(),
  pod: z.string().optional(),
});

export function keptText(carried: Carried, pod: string, now: Date): string {
  return JSON.stringify({ at: now.toISOString(), pod, ...carried });
}

/** @param value the record, as text or already parsed. @throws SyntaxError, ZodError when it is none */
export function keptOf(value: unknown, now: Date): Kept {
  const { at, pod, ...carried } = record.parse(typeof value === 'string' ? JSON.parse(value) : value);
  const age = now.getTime() - Date.parse(at ?? '');
  // Another runner's clock may be ahead, but not by days.
  const isFresh = Math.abs(age) <= MOST_AGE_MS;
  return { carried, pod, ...(!isFresh && { tooOld: at === undefined ? 'an unknown time' : at }) };
}
