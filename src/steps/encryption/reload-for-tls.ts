import type { PodView } from '../../rollout/pod.ts';
import type { Run } from '../../session/run.ts';
import type { EncryptionTools } from './encryption-watch.ts';
import { byRole } from './in-pods/agent-pods.ts';
import { type ReloadedAs, reloadWith } from './in-pods/reload-agents.ts';
import { tlsPodFiles } from './tls-pod-files.ts';

/** Has agents read the files of their role's Secret again, one group after the other. */
export async function reloadForTls(
  run: Run,
  tools: EncryptionTools,
  groups: readonly (readonly PodView[])[],
  as: Omit<ReloadedAs, 'files'>,
): Promise<void> {
  const files = tlsPodFiles(run, tools, as.revision);
  const roles = groups.map((pods) => byRole(tools.workloads, pods));
  try {
    for (const { servers, clients } of roles) {
      files.server.follow(servers);
      files.client.follow(clients);
    }
    for (const { servers, clients } of roles) {
      await Promise.all([
        reloadWith(run, tools, servers, { ...as, files: files.server }),
        reloadWith(run, tools, clients, { ...as, files: files.client }),
      ]);
    }
  } finally {
    files.close();
  }
}
