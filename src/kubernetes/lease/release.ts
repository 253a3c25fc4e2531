import { Leases, type LeaseTransport } from './lease-record.ts';

/** For reading the lock, and again for giving it back: whatever is done between has its own time. */
const BUDGET_MS = 10_000;

/**
 * Releases the lock of a run that can no longer do it itself.
 * @param options.isOurs tells by its identity whether the holder is that run
 * @param options.before is done while the lock is still held; what becomes of it is no reason to keep the lock
 * @returns false when it is held by another, or by nobody
 */
export async function releaseLock(
  transport: LeaseTransport,
  options: {
    namespace: string;
    name: string;
    isOurs: (holder: string) => boolean;
    before?: () => Promise<void>;
  },
): Promise<boolean> {
  const { namespace, name, isOurs } = options;
  const current = await new Leases(transport, { namespace, name, holder: '' }).read(
    AbortSignal.timeout(BUDGET_MS),
  );
  const holder = current?.spec?.holderIdentity;
  if (!current || !holder || !isOurs(holder)) return false;
  try {
    await options.before?.();
  } finally {
    await new Leases(transport, { namespace, name, holder }).give(current, AbortSignal.timeout(BUDGET_MS));
  }
  return true;
}
