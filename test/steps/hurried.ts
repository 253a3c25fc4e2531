import { onTestFinished, vi } from 'vitest';

/** As if what lasts had lasted so many times as long, until the test is over. */
export function hurried(times = 20): void {
  vi.spyOn(performance, 'now').mockImplementation(() => Date.now() * times);
  onTestFinished(() => void vi.restoreAllMocks());
}
