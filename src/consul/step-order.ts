/**
 * The state into which the next agents go, where agents understand each other in neighbouring states only: one step from
 * those that are the farthest from the goal, which is the last state or, backwards, the first. Those that are farther
 * behind than that, because somebody has changed them, do not understand the foremost already: they go to where they do.
 * @returns undefined where all are there
 */
export function nextInOrder<S>(
  order: readonly S[],
  states: readonly S[],
  way: 'forwards' | 'backwards',
): S | undefined {
  const ranks = states.map((state) => order.indexOf(state));
  if (ranks.length === 0) return undefined;
  const [lowest, highest] = [Math.min(...ranks), Math.max(...ranks)];
  return order[way === 'forwards' ? Math.max(lowest + 1, highest - 1) : Math.min(highest - 1, lowest + 1)];
}

/** Whether an agent of this state has yet to go to the next one. */
export function isBefore<S>(order: readonly S[], state: S, next: S, way: 'forwards' | 'backwards'): boolean {
  const [rank, to] = [order.indexOf(state), order.indexOf(next)];
  return way === 'forwards' ? rank < to : rank > to;
}
