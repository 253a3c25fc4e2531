import type { WatchedPod } from '../kubernetes/pod-watch.ts';

/**
 * The agent that an application asks: the same one as long as it is ready, then another one, as a Service does it.
 * Clients that are replaced change it; nothing else does.
 */
export class Agent {
  readonly #pods: ReadonlyMap<string, WatchedPod>;
  #ip = '';

  constructor(pods: ReadonlyMap<string, WatchedPod>) {
    this.#pods = pods;
  }

  get ip(): string {
    const usable = [...this.#pods.values()].filter(({ ready, stopping, ip }) => ready && !stopping && ip);
    if (!usable.some(({ ip }) => ip === this.#ip)) this.#ip = usable[0]?.ip ?? this.#ip;
    if (this.#ip === '') throw new Error('no client is ready');
    return this.#ip;
  }
}

const ANSWER_MS = 10_000;

/** Over HTTP; anything but 200 is an error. */
export async function http(ip: string, path: string, init: RequestInit = {}): Promise<string> {
  const host = ip.includes(':') ? `[${ip}]` : ip;
  const signal = AbortSignal.timeout(ANSWER_MS);
  const response = await fetch(`http://${host}:8500${path}`, { signal, ...init });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${response.status}: ${text.slice(0, 200)}`);
  return text;
}
