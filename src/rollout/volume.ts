import { z } from 'zod';

const amount = z.number().nonnegative();
const volumeStats = z.object({
  pvcRef: z.object({ name: z.string(), namespace: z.string() }).optional(),
  usedBytes: amount.optional(),
  capacityBytes: amount.optional(),
  inodesUsed: amount.optional(),
  inodes: amount.optional(),
});
/** https://kubernetes.io/docs/reference/instrumentation/node-metrics/ */
const summary = z.object({
  pods: z.array(z.object({ volume: z.array(volumeStats).optional() })),
});

export interface FillLevel {
  claim: string;
  percent: number;
}

/**
 * How full the volumes of these claims are, by bytes or by files, whichever is more, as the kubelet of a node says.
 * Volumes that it does not measure are left out. @throws ZodError for an answer of another shape
 */
export function fillLevels(answer: unknown, namespace: string, claims: ReadonlySet<string>): FillLevel[] {
  return summary.parse(answer).pods.flatMap(({ volume = [] }) =>
    volume.flatMap(({ pvcRef, usedBytes, capacityBytes, inodesUsed, inodes }) => {
      if (pvcRef?.namespace !== namespace || !claims.has(pvcRef.name)) return [];
      const shares = [share(usedBytes, capacityBytes), share(inodesUsed, inodes)].flatMap((one) => one ?? []);
      return shares.length === 0 ? [] : [{ claim: pvcRef.name, percent: Math.max(...shares) }];
    }),
  );
}

function share(used: number | undefined, all: number | undefined): number | undefined {
  return used === undefined || !all ? undefined : Math.round((used / all) * 100);
}
