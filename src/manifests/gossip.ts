import type { Config } from '../config/config.ts';
import { GOSSIP_STATES, type GossipState } from '../consul/gossip/state.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { topLevelNames } from './config/top-level.ts';
import { objectLabels } from './label.ts';
import { gossipSecretName } from './name.ts';

/** The data of the Secret. */
const DATA = { keyring: 'keyring', config: 'gossip.json', revision: 'revision' } as const;

/** Where the agents find it: in one volume, so that all of it changes at once. Consul reads only what ends in `.json`. */
export const GOSSIP_FILES = {
  keyring: 'gossip.keyring',
  /** After the user's own file. */
  config: '25-gossip.json',
  revision: 'gossip.revision',
} as const;

/** What the Secret tells every agent that starts. */
export interface GossipFiles {
  /** Base64, of 16, 24 or 32 bytes each; the first is the one that agents encrypt with. None for `off`. */
  keys: readonly string[];
  /** Which of the steps on the way the agents take when they start. `off` takes keyrings away; no Secret leaves them. */
  state: GossipState;
  /** Where the way leads: back to `off`, or to `strict`. */
  goal: 'off' | 'strict';
  /** A change of the key that is under way: the new key is added, used, or the old one is taken away. */
  rotation?: 'add' | 'use' | 'remove';
  /** Counts up with every change, so that it can be told which files an agent has. */
  revision: number;
}

/** The files of the Secret in the configuration directory; optional, so that encryption needs no other pods than it found. */
export function gossipSource({ name }: Pick<Config, 'name'>): Record<string, unknown> {
  const items = (['keyring', 'config', 'revision'] as const).map((what) => {
    return { key: DATA[what], path: GOSSIP_FILES[what] };
  });
  return { secret: { name: gossipSecretName(name), optional: true, items } };
}

/** The Secret with the keys. It is not part of the rendered set, as nobody but the agents is to hold keys. */
export function gossipSecret(config: Config, files: GossipFiles): KubernetesObject {
  const { keys, state, goal, rotation, revision } = files;
  const rank = GOSSIP_STATES.indexOf(state);
  // An agent that finds a keyring heeds no `encrypt`. It is for those that start without our command, which a patch may
  // replace: they find no keyring when they start for the first time.
  const settings = {
    encrypt: keys[0],
    encrypt_verify_incoming: rank >= GOSSIP_STATES.indexOf('strict'),
    encrypt_verify_outgoing: rank >= GOSSIP_STATES.indexOf('sending'),
  };
  const data = {
    [DATA.keyring]: state === 'off' ? '' : JSON.stringify(keys),
    [DATA.config]: JSON.stringify(state === 'off' ? {} : settings),
    [DATA.revision]: String(revision),
  };
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: gossipSecretName(config.name),
      namespace: config.namespace,
      labels: objectLabels(config),
      // Not in the data, all of which counts as secret.
      annotations: { [GOAL]: goal, ...(rotation && { [ROTATION]: rotation }) },
    },
    type: 'Opaque',
    // Not `stringData`: the API server does not know who owns a key of that.
    data: Object.fromEntries(
      Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString('base64')]),
    ),
  };
}

const GOAL = 'consul-deploy/gossip-goal';
const ROTATION = 'consul-deploy/gossip-rotation';

/** @returns undefined for a Secret that is not as this action writes it */
export function gossipFilesOf({ metadata, data }: KubernetesObject): GossipFiles | undefined {
  const text = (key: string) =>
    Buffer.from(String((data as Record<string, string>)?.[key] ?? ''), 'base64').toString();
  const keyring = text(DATA.keyring);
  const keys = keyring === '' ? [] : parsed(keyring);
  const settings = parsed(text(DATA.config)) as Record<string, unknown> | undefined;
  const revision = Number(text(DATA.revision));
  const { [GOAL]: goal, [ROTATION]: rotation } = metadata.annotations ?? {};
  if (!Array.isArray(keys) || !keys.every(isGossipKey)) return undefined;
  if (typeof settings !== 'object' || settings === null || !Number.isSafeInteger(revision)) return undefined;
  if (goal !== 'off' && goal !== 'strict') return undefined;
  const { encrypt_verify_incoming: incoming, encrypt_verify_outgoing: outgoing } = settings;
  // Consul takes what is not said for true.
  const keyed = incoming !== false ? 'strict' : outgoing !== false ? 'sending' : 'keyed';
  const state = keys.length === 0 ? 'off' : keyed;
  const isRotating = rotation === 'add' || rotation === 'use' || rotation === 'remove';
  return { keys, state, goal, ...(isRotating && { rotation }), revision };
}

/** Whether the user's own configuration of the agents has a key, so that gossip is theirs. */
export function hasOwnKey({
  serverConfig,
  clientConfig,
}: Pick<Config, 'serverConfig' | 'clientConfig'>): boolean {
  return [serverConfig, clientConfig].some((one) => topLevelNames(one).has('encrypt'));
}

/**
 * Whether servers join those of another datacenter, which need the same key, and the same authority of their certificates:
 * so what is made here alone would cut them off.
 */
export function joinsOtherDatacenters({ serverConfig }: Pick<Config, 'serverConfig'>): boolean {
  const names = topLevelNames(serverConfig);
  return ['retry_join_wan', 'start_join_wan', 'primary_datacenter'].some((name) => names.has(name));
}

/** Consul takes keys for AES-128, AES-192 and AES-256, in base64. */
export function isGossipKey(key: unknown): key is string {
  if (typeof key !== 'string') return false;
  const bytes = Buffer.from(key, 'base64');
  return [16, 24, 32].includes(bytes.length) && bytes.toString('base64') === key;
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
