import type { KeyPair } from '../certificates/authority.ts';
import type { Config } from '../config/config.ts';
import { TLS_STATES, type TlsState } from '../consul/rpc/state.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { topLevelNames } from './config/top-level.ts';
import { objectLabels, type Role } from './label.ts';
import { authoritySecretName, CONFIG_DIRECTORY, tlsSecretName } from './name.ts';

/** The data of a role's Secret, named as cert-manager and Kubernetes name them. */
const DATA = {
  authorities: 'ca.crt',
  certificate: 'tls.crt',
  key: 'tls.key',
  config: 'tls.json',
  revision: 'revision',
} as const;

/** Where the agents find it. Consul reads only what ends in `.json` by itself. */
export const TLS_FILES = {
  authorities: 'tls-ca.pem',
  certificate: 'tls-certificate.pem',
  key: 'tls-key.pem',
  /** After the user's own file. */
  config: '26-tls.json',
  revision: 'tls.revision',
} as const;

/** What the Secrets tell every agent that starts or reloads. */
export interface TlsFiles {
  state: TlsState;
  /** Where the way leads. */
  goal: 'off' | 'enforced';
  /** A change of the authority that is under way: agents trust both, or already have leaves of the new one. */
  rotation?: 'trust' | 'leaves';
  /** In PEM, one or, while they change, two. */
  authorities: string;
  server: KeyPair;
  client: KeyPair;
  /** The Secrets of the user's that they came from: only who makes those renews them. */
  from?: Readonly<Record<Role, string>>;
  /** Counts up with every change, so that it can be told which files an agent has. */
  revision: number;
}

/** The files of a role's Secret in its configuration directory; optional, so that TLS needs no other pods than it found. */
export function tlsSource({ name }: Pick<Config, 'name'>, role: Role): Record<string, unknown> {
  const items = (['authorities', 'certificate', 'key', 'config', 'revision'] as const).map((what) => {
    return { key: DATA[what], path: TLS_FILES[what] };
  });
  return { secret: { name: tlsSecretName(name, role), optional: true, items } };
}

/** The Secret of a role. It is not part of the rendered set, as nobody but the agents is to hold keys. */
export function tlsSecret(config: Config, role: Role, files: TlsFiles): KubernetesObject {
  const { state, goal, rotation, authorities, from, revision } = files;
  const { certificate, key } = files[role];
  const data = {
    [DATA.authorities]: authorities,
    [DATA.certificate]: certificate,
    [DATA.key]: key,
    [DATA.config]: JSON.stringify(settingsOf(state)),
    [DATA.revision]: String(revision),
  };
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: tlsSecretName(config.name, role),
      namespace: config.namespace,
      labels: objectLabels(config, role),
      // Not in the data, all of which counts as secret.
      annotations: {
        [STATE]: state,
        [GOAL]: goal,
        ...(rotation && { [ROTATION]: rotation }),
        ...(from && { [FROM]: from[role] }),
      },
    },
    type: 'Opaque',
    data: inBase64(data),
  };
}

const STATE = 'consul-deploy/tls-state';
const GOAL = 'consul-deploy/tls-goal';
const ROTATION = 'consul-deploy/tls-rotation';
const FROM = 'consul-deploy/tls-from';

/** https://developer.hashicorp.com/consul/docs/reference/agent/configuration-file/tls */
function settingsOf(state: TlsState): Record<string, unknown> {
  if (state === 'off') return {};
  const rank = TLS_STATES.indexOf(state);
  const outgoing = rank >= TLS_STATES.indexOf('outgoing');
  const file = (name: string) => `${CONFIG_DIRECTORY}/${name}`;
  const files = {
    ca_file: file(TLS_FILES.authorities),
    cert_file: file(TLS_FILES.certificate),
    key_file: file(TLS_FILES.key),
  };
  return {
    tls: {
      // For those agents that have the port. Who asks there shows no certificate: kubelets have none.
      https: { ...files, verify_incoming: false },
      internal_rpc: {
        ...files,
        verify_incoming: state === 'enforced',
        verify_outgoing: outgoing,
        verify_server_hostname: outgoing,
      },
    },
  };
}

/** One role's part; undefined for a Secret that is not as this action writes it. */
export type RoleFiles = Omit<TlsFiles, 'server' | 'client' | 'from'> & { pair: KeyPair; from?: string };

export function tlsFilesOf(secret: KubernetesObject): RoleFiles | undefined {
  const {
    [STATE]: state,
    [GOAL]: goal,
    [ROTATION]: rotation,
    [FROM]: from,
  } = secret.metadata.annotations ?? {};
  const revision = Number(textOf(secret, DATA.revision));
  const known = TLS_STATES.find((one) => one === state);
  if (!known || (goal !== 'off' && goal !== 'enforced') || !Number.isSafeInteger(revision)) return undefined;
  return {
    state: known,
    goal,
    ...((rotation === 'trust' || rotation === 'leaves') && { rotation }),
    authorities: textOf(secret, DATA.authorities),
    pair: pairOf(secret),
    ...(from !== undefined && { from }),
    revision,
  };
}

/** The pair of a Secret in the layout of `kubernetes.io/tls`, and the authority that cert-manager puts beside it. */
export function pairOf(secret: KubernetesObject): KeyPair {
  return { certificate: textOf(secret, DATA.certificate), key: textOf(secret, DATA.key) };
}

export function authoritiesOf(secret: KubernetesObject): string {
  return textOf(secret, DATA.authorities);
}

/** The Secret of the deployment's own authority, which no pod mounts. */
export function authoritySecret(config: Config, { certificate, key }: KeyPair): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: authoritySecretName(config.name),
      namespace: config.namespace,
      labels: objectLabels(config),
    },
    type: 'kubernetes.io/tls',
    data: inBase64({ [DATA.certificate]: certificate, [DATA.key]: key }),
  };
}

/** https://developer.hashicorp.com/consul/docs/reference/agent/configuration-file/tls */
const OWN_TLS = [
  ...['tls', 'auto_encrypt', 'auto_config', 'ca_file', 'ca_path', 'cert_file', 'key_file'],
  ...['verify_incoming', 'verify_incoming_rpc', 'verify_incoming_https'],
  ...['verify_outgoing', 'verify_server_hostname'],
];

/** Whether the user's own configuration of the agents sets TLS, so that it is theirs. */
export function hasOwnTls({
  serverConfig,
  clientConfig,
}: Pick<Config, 'serverConfig' | 'clientConfig'>): boolean {
  return [serverConfig, clientConfig].some((one) => {
    const names = topLevelNames(one);
    return OWN_TLS.some((name) => names.has(name));
  });
}

function textOf({ data }: KubernetesObject, key: string): string {
  return Buffer.from(String((data as Record<string, string>)?.[key] ?? ''), 'base64').toString();
}

/** Not `stringData`: the API server does not know who owns a key of that. */
function inBase64(data: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString('base64')]),
  );
}
