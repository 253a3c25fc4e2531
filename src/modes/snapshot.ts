import type { Run } from '../session/run.ts';
import { takeSnapshot } from '../steps/snapshot/take.ts';
import { withServers } from './with-servers.ts';

/** `mode: snapshot`: takes a copy of what Consul holds, and reads it to its end. Changes nothing. */
export async function snapshotMode(run: Run, mask: (secret: string) => void): Promise<void> {
  await withServers(run, mask, (servers) =>
    run.phase('snapshot', 'Take a snapshot', async () => {
      await takeSnapshot(run, servers);
    }),
  );
}
