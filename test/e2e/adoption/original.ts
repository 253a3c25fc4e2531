import { readFileSync } from 'node:fs';
import { havePreviousConsul } from '../bed/bed.ts';
import { consul, raftViews } from '../consul/consul.ts';
import { eventually, isReady, kubectl, kubectlApply, pods } from '../kubernetes/cluster.ts';

const MANIFEST = readFileSync(new URL('original-cluster.yaml', import.meta.url), 'utf8');

/** Service and StatefulSet of the servers, then those of the clients. */
export function manifests(): string[] {
  return MANIFEST.split(/^---$/m);
}

/**
 * Brings the hand-made cluster up with `kubectl apply`, and lets it form as its owners did.
 * @param key of its gossip, in its arguments; without it that is not encrypted
 * @param edit what its owners have done to the manifests besides
 */
export async function startOriginal(
  namespace: string,
  clients = 2,
  key?: string,
  edit = (manifest: string) => manifest,
): Promise<void> {
  await havePreviousConsul();
  await kubectl('create', 'namespace', namespace);
  const manifest = MANIFEST.replace('replicas: 2', `replicas: ${clients}`);
  const encrypted =
    key === undefined
      ? manifest
      : manifest.replaceAll('- agent\n', `- agent\n            - -encrypt=${key}\n`);
  await kubectlApply(edit(encrypted), '-n', namespace);
  await eventually('the servers of the hand-made cluster', 120_000, async () => {
    const all = await pods(namespace, 'server');
    return all.length === 3 && all.every(isReady) ? true : undefined;
  });
  // Through one Service for all, servers meet themselves; somebody always had to help.
  const servers = await pods(namespace, 'server');
  const [first] = servers;
  for (const { status } of servers.slice(1)) {
    const join = `/v1/agent/join/${first?.status.podIP}`;
    // One that was ready may have been restarted since.
    await eventually(`${join} at ${status.podIP}`, 60_000, () =>
      consul(status.podIP ?? '', join, { method: 'PUT' }).then(
        () => true,
        // It answers with nothing, which is no JSON.
        (error: unknown) => (error instanceof SyntaxError ? true : undefined),
      ),
    );
  }
  await eventually('three voters and all clients', 120_000, async () => {
    const views = await raftViews(namespace).catch(() => []);
    const voters = views.filter(({ servers }) => servers.filter(({ Voter }) => Voter).length === 3);
    return voters.length === 3 && (await pods(namespace)).filter(isReady).length === 3 + clients
      ? true
      : undefined;
  });
}
