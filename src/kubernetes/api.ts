import type { Discovery } from './discovery.ts';
import type { Transport } from './http/transport.ts';

/** An API server: the way to it, and what it serves. */
export interface Api {
  transport: Pick<Transport, 'request' | 'onObject'>;
  discovery: Discovery;
}
