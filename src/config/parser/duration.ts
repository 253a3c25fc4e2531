import { type Parser, parser } from './parser.ts';

const UNITS = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const;
const PATTERN = /^(?:(?<h>\d+)h)?(?:(?<m>\d+)m)?(?:(?<s>\d+)s)?(?:(?<ms>\d+)ms)?$/;

/**
 * A duration with units, largest first: `90s`, `10m`, `1h30m`, `500ms`; also `0`. Milliseconds.
 * A bare number is refused: seconds and minutes are both common elsewhere, and a wrong guess costs an hour.
 * @param min milliseconds
 * @param max milliseconds
 */
export function duration(min: number, max: number): Parser<number> {
  const allowed = `a duration such as 90s, 10m or 1h30m, from ${formatDuration(min)} to ${formatDuration(max)}`;
  return parser(allowed, (text, refuse) => {
    const value = milliseconds(text);
    if (value >= min && value <= max) return value;
    const bare = /^\d{1,9}$/.test(text) && Number.isNaN(value);
    return refuse({ hint: bare ? `a number needs its unit: write ${text}s or ${text}m` : undefined });
  });
}

/** NaN where it is no duration. */
function milliseconds(text: string): number {
  if (text === '0') return 0;
  const groups = text === '' ? undefined : PATTERN.exec(text)?.groups;
  if (!groups) return Number.NaN;
  return Object.entries(UNITS).reduce((sum, [unit, size]) => sum + Number(groups[unit] ?? 0) * size, 0);
}

/** `5400000` is `1h30m`; what `duration` reads back as the same value. */
export function formatDuration(ms: number): string {
  let rest = ms;
  let text = '';
  for (const [unit, size] of Object.entries(UNITS)) {
    const count = Math.floor(rest / size);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * size;
  }
  return text || '0';
}
