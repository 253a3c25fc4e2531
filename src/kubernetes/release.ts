import { Leases } from './lease-record.ts';
import type { Transport } from './transport.ts';

/**
 * Releases the lock of a run that can no longer do it itself.
 * @param options.isOurs tells by its identity whether the holder is that run
 * @param options.before is done while the lock is still held
 * @returns false when it is held by another, or by nobody
 */
export async function releaseLock(
  transport: Pick<Transport, 'request'>,
  options: {
    namespace: string;
    name: string;
    isOurs: (holder: string) => boolean;
    before?: () => Promise<void>;
    signal: AbortSignal;
  },
): Promise<boolean> {
  const { namespace, name, isOurs, signal } = options;
  const current = await new Leases(transport, { namespace, name, holder: '' }).read(signal);
  const holder = current?.spec?.holderIdentity;
  if (!current || !holder || !isOurs(holder)) return false;
  await options.before?.();
  await new Leases(transport, { namespace, name, holder }).give(current, signal);
  return true;
}
