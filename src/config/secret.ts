import { secretsIn } from '../secret/find.ts';
import type { Config } from './config.ts';
import { readYaml } from './parser/yaml.ts';

/**
 * The secrets that the inputs hold: credentials of a kubeconfig that was given as such, and those in agent
 * configuration and patches.
 */
export function inputSecrets(
  config: Pick<Config, 'kubeconfig' | 'serverConfig' | 'clientConfig' | 'patches'>,
): string[] {
  const { kubeconfig, serverConfig, clientConfig, patches } = config;
  const yaml =
    kubeconfig.kind === 'inline' ? readYaml(kubeconfig.yaml, { anyNumber: true }) : { documents: [] };
  return secretsIn([
    'documents' in yaml ? yaml.documents : [],
    serverConfig?.text ?? '',
    clientConfig?.text ?? '',
    patches,
  ]);
}
