import type { Allowance } from '../config/config.ts';

/** How many of so many that is; of a share the number below. */
export function countOf(allowance: Allowance, all: number): number {
  return allowance.kind === 'count' ? allowance.count : Math.floor((all * allowance.percent) / 100);
}
