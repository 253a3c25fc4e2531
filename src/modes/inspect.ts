import type { Run } from '../session/run.ts';
import { tellWhatDiffers } from '../steps/snapshot/compare.ts';
import { inspectFile, readCluster, readOther } from '../steps/snapshot/inspect.ts';
import { withServers } from './with-servers.ts';

/**
 * `mode: inspect`: tells what is in a snapshot, and in what it differs from another one or from what Consul holds. Changes
 * nothing and leaves no file; only where it is compared with the cluster, a cluster is needed.
 */
export async function inspectMode(run: Run, mask: (secret: string) => void): Promise<void> {
  const { restorePath = '', compare } = run.config;
  const here = await run.phase('read', 'Read the snapshot', () => inspectFile(run, restorePath));
  if (compare?.kind === 'file') {
    await run.phase('read', 'Read the other snapshot', async () =>
      tellWhatDiffers(run, here, await readOther(run, compare.path)),
    );
  }
  if (compare?.kind === 'cluster') {
    await withServers(run, mask, (servers) =>
      run.phase('snapshot', 'Read what Consul holds now', async () =>
        tellWhatDiffers(run, here, await readCluster(run, servers)),
      ),
    );
  }
}
