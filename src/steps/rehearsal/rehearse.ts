import type { ConsulClient } from '../../consul/client.ts';
import { count } from '../../count.ts';
import { Failure } from '../../failure.ts';
import { REHEARSAL_POD, rehearsalNamespace, rehearsalObjects } from '../../manifests/rehearsal.ts';
import { formatDuration } from '../../report/duration.ts';
import { Agents } from '../../session/agents.ts';
import type { Cluster } from '../../session/cluster.ts';
import type { Run } from '../../session/run.ts';
import { lookAtContent, wentWithSession } from '../snapshot/content.ts';
import { openSnapshot } from '../snapshot/open.ts';
import { sendSnapshot } from '../snapshot/restore.ts';
import { findSource, type Servers } from '../snapshot/source.ts';
import type { ToRestore } from '../snapshot/to-restore.ts';
import { checkVersion } from '../snapshot/version.ts';
import { inRehearsalNamespace } from './namespace.ts';
import { explained, startServer } from './server.ts';

/** A single server elects itself within seconds of its start. */
const LEADER_MS = 60_000;
const ANSWER_MS = 5_000;

/**
 * Restores the snapshot into a server that is there for this alone, and looks whether all of it has come back. The
 * deployment itself is not touched.
 * @throws Failure that says what a restore would meet, or what has kept the rehearsal from being held
 */
export async function rehearse(run: Run, cluster: Cluster, file: ToRestore): Promise<void> {
  const until = new Date(Date.now() + run.left()).toISOString();
  const { namespace, pod } = rehearsalObjects(run.config, until);
  await inRehearsalNamespace(run, cluster, namespace, async () => {
    const started = await startServer(run, cluster, pod);
    const agents = new Agents(cluster.transport, namespace.metadata.name);
    try {
      await restoreAndLook(run, async () => [agents.client(started)], file);
    } catch (error) {
      throw await explained(run, cluster, pod, error);
    } finally {
      agents.close();
    }
  });
}

/** @throws Failure `state-lost` where not all of the snapshot has come back */
export async function restoreAndLook(run: Run, servers: Servers, file: ToRestore): Promise<void> {
  const { server, stale } = await findSource(run, servers, { leaderMs: LEADER_MS });
  if (stale) {
    throw new Failure({
      reason: 'no-leader',
      what: 'the server of the rehearsal has not elected itself',
      where: `Pod/${REHEARSAL_POD} in namespace ${rehearsalNamespace(run.config)}`,
      hint: 'Run it again; where it happens again, see whether its node has processor and disk left.',
    });
  }
  const version = await versionOf(run, server);
  checkVersion(run, file, [version]);
  const sentAt = run.now();
  const { plain } = await openSnapshot(file.path, file.key);
  await sendSnapshot(run, server, plain, { servers });
  const took = formatDuration(run.now() - sentAt);
  const { complaints, gone } = await lookAtContent(run, servers, file);
  const passed = complaints.length === 0;
  const ended = gone.total > 0 ? ` but ${wentWithSession(gone)}` : '';
  run.check({
    group: 'data',
    id: 'rehearsal',
    title: 'Rehearsal',
    expected: `a server of its own holds the ${count(file.keys.size, 'key')} of the snapshot, each with its value, and all else of it`,
    observed: passed
      ? `Consul ${version ?? 'of an unknown version'} holds all of it${ended}; restored in ${took}`
      : complaints.join('; '),
    passed,
  });
  if (passed) return;
  throw new Failure({
    reason: 'state-lost',
    what: 'after the restore a server of its own does not hold what the snapshot holds',
    where: file.path,
    hint: 'Do not rely on this snapshot: take another and rehearse that. Where the same happens again, compare the version of Consul that has written it with the one that reads it.',
    details: complaints,
  });
}

async function versionOf(run: Run, server: ConsulClient): Promise<string | undefined> {
  const asked = { signal: run.signal, timeoutMs: ANSWER_MS };
  const { body } = await server.get<{ Config?: { Version?: string } }>('/v1/agent/self', asked);
  return body.Config?.Version;
}
