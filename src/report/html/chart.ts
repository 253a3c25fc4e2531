import { type Markup, markup } from './markup.ts';

/** One run in a chart. */
export interface Bar {
  value: number;
  /** What a pointer is shown. */
  words: string;
  /** Of the kind that the newest is of: those compare. */
  alike: boolean;
}

const [WIDTH, HEIGHT, BASE] = [300, 72, 66];

/**
 * Bars from zero, the newest last and marked by an outline of its own.
 * @param bars undefined for a run that has no such figure
 */
export function chart(id: string, title: string, words: string, bars: readonly (Bar | undefined)[]): Markup {
  const most = Math.max(...bars.map((bar) => bar?.value ?? 0));
  const slot = Math.min(WIDTH / bars.length, 28);
  const from = WIDTH - slot * bars.length;
  const shapes = bars.map((bar, index) => {
    if (!bar) return undefined;
    const { value, words, alike } = bar;
    const x = (from + index * slot + slot * 0.14).toFixed(1);
    const width = (slot * 0.72).toFixed(1);
    const kind = `${alike ? 'alike' : 'other'}${index === bars.length - 1 ? ' newest' : ''}`;
    const height = most === 0 ? 2 : Math.max(2, (value / most) * (BASE - 6));
    return markup`<rect class="${kind}" x="${x}" y="${(BASE - height).toFixed(1)}" width="${width}" height="${height.toFixed(1)}" rx="1.5"><title>${words}</title></rect>`;
  });
  return markup`<svg class="chart" role="img" aria-labelledby="${id} ${id}-words" viewBox="0 0 ${WIDTH} ${HEIGHT}"><title id="${id}">${title}</title><desc id="${id}-words">${words}</desc><path class="base" d="M0 ${BASE + 0.5}h${WIDTH}"/>${shapes}</svg>`;
}
