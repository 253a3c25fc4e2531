import { tlsSecretName } from '../../manifests/name.ts';
import { TLS_FILES } from '../../manifests/tls.ts';
import type { Run } from '../../session/run.ts';
import type { EncryptionTools } from './encryption-watch.ts';
import { PodFiles } from './in-pods/pod-files.ts';
import type { AwaitedFiles } from './in-pods/restart.ts';

/** Which files the pods of both roles have, up to a revision. */
export function tlsPodFiles(
  run: Run,
  tools: EncryptionTools,
  last: number,
): Record<'server' | 'client', PodFiles> & { close: () => void } {
  const at = tlsFilesAt(run, last);
  const server = new PodFiles(run, tools, { ...at('server'), last });
  const client = new PodFiles(run, tools, { ...at('client'), last });
  const close = () => {
    server.close();
    client.close();
  };
  return { server, client, close };
}

/** Which files of its Secret a pod of a role is to have. */
export function tlsFilesAt(
  { config }: Pick<Run, 'config'>,
  revision: number | undefined,
): (role: 'server' | 'client') => AwaitedFiles {
  return (role) => ({ secret: tlsSecretName(config.name, role), file: TLS_FILES.revision, revision });
}
