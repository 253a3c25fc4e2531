import { secretsIn } from '../secret/find.ts';
import type { Config, SnapshotKey } from './config.ts';
import { readYaml } from './parser/yaml.ts';

/**
 * The secrets that the inputs hold: credentials of a kubeconfig that was given as such, and those in agent
 * configuration and patches, and what a snapshot is encrypted with.
 */
export function inputSecrets(
  config: Pick<Config, 'kubeconfig' | 'serverConfig' | 'clientConfig' | 'patches' | 'snapshotKey'>,
): string[] {
  const { kubeconfig, serverConfig, clientConfig, patches, snapshotKey } = config;
  const yaml = kubeconfig.kind === 'inline' && readYaml(kubeconfig.yaml, { anyNumber: true });
  const found = secretsIn([yaml, serverConfig?.text, clientConfig?.text, patches]);
  return snapshotKey ? [...found, ...keysIn(snapshotKey)] : found;
}

/** A recipient is public. */
function keysIn(key: SnapshotKey): readonly string[] {
  return key.kind === 'passphrase' ? [key.passphrase] : key.identities;
}
