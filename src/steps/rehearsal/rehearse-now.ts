import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agents } from '../../session/agents.ts';
import type { Cluster } from '../../session/cluster.ts';
import type { Run } from '../../session/run.ts';
import { takeWithKeys } from '../snapshot/restore.ts';
import { currentServers } from '../snapshot/servers.ts';
import type { Servers } from '../snapshot/source.ts';
import type { ToRestore } from '../snapshot/to-restore.ts';
import { rehearse } from './rehearse.ts';

/** Takes a snapshot of what Consul holds now, tries its restore, and leaves it nowhere. @throws Failure */
export async function rehearseNow(run: Run, cluster: Cluster): Promise<void> {
  const agents = new Agents(cluster.transport, run.config.namespace);
  const { left } = run.known;
  try {
    await withPassingSnapshot(run, currentServers(run, cluster, agents), (file) =>
      run.phase('rehearse', 'Rehearse the restore', () => rehearse(run, cluster, file)),
    );
    // Nothing is left of it.
    run.known.left = left;
  } finally {
    agents.close();
  }
}

/** The file is in the temporary folder of the runner, encrypted with a key that nobody else ever has, and goes at the end. */
export async function withPassingSnapshot(
  run: Run,
  servers: Servers,
  work: (file: ToRestore) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(process.env.RUNNER_TEMP || tmpdir(), 'consul-deploy-rehearsal-'));
  try {
    const file = await run.phase('snapshot', 'Take a snapshot to rehearse', async () => {
      const { generateIdentity } = await import('age-encryption');
      const key = { kind: 'keys', recipients: [], identities: [await generateIdentity()] } as const;
      return takeWithKeys(run, servers, { into: { path: join(folder, 'consul.snap.age'), key } });
    });
    await work(file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
