import { Failure } from '../failure.ts';
import type { Config } from './config.ts';
import { contradictions } from './contradiction.ts';
import { type FilePaths, filePaths } from './file-paths.ts';
import { frozen } from './frozen.ts';
import type { Input } from './inputs/input.ts';
import { INPUT_NAMES, INPUTS, type InputName, type InputValues } from './inputs.ts';
import { describeIssue, quote } from './mistake.ts';
import { nearest } from './nearest.ts';

const SERVERS = { 1: 1, 3: 3, 5: 5 } as const;

/** How the inputs were given, where it was not by the runner. */
export interface Given {
  /** What was wrong in giving them, told together with what is wrong in the inputs. */
  readonly mistakes?: readonly string[];
  /** Where they are corrected, and described. */
  readonly correct?: string;
}

const CORRECT = 'under `with:` of the step; docs/reference/inputs.md describes every input';

/**
 * Reads every input from `INPUT_*`, as the runner sets them: upper case, hyphens kept. Empty means not given.
 * @throws {Failure} `invalid-input` with one line in `details` for every mistake
 * @returns a deeply frozen Config
 */
export function parseConfig(env: NodeJS.ProcessEnv, given: Given = {}): Config {
  const texts = Object.fromEntries(
    INPUT_NAMES.map((name) => [name, env[variable(name)]?.trim() || INPUTS[name].default]),
  ) as Record<InputName, string>;

  const parsed = INPUT_NAMES.map((name) => parseInput(name, texts[name]));
  const known = Object.fromEntries(parsed.flatMap((one) => (one.ok ? [[one.name, one.value]] : [])));
  const { mistakes: refused, ...paths } = filePaths(known, env);
  const mistakes = [
    ...(given.mistakes ?? []),
    ...parsed.flatMap((one) => (one.ok ? [] : one.mistakes)),
    ...contradictions(known, texts),
    ...refused,
    ...unknownInputs(env),
  ];
  if (mistakes.length > 0) {
    throw new Failure({
      reason: 'invalid-input',
      what: mistakes.length === 1 ? 'an input is wrong' : `${mistakes.length} mistakes in the inputs`,
      where: 'inputs',
      hint: `Nothing was changed. Correct the lines below ${given.correct ?? CORRECT}`,
      details: mistakes,
    });
  }
  // Without mistakes every input has its value.
  return frozen(toConfig(known as InputValues, paths));
}

type Parsed =
  | { name: InputName; ok: true; value: unknown }
  | { name: InputName; ok: false; mistakes: string[] };

function parseInput(name: InputName, text: string): Parsed {
  const { parser, confidential }: Input = INPUTS[name];
  const result = parser.safeParse(text, { reportInput: true });
  if (result.success) return { name, ok: true, value: result.data };
  const mistakes = result.error.issues.map((issue) => describeIssue(name, issue, confidential === true));
  return { name, ok: false, mistakes };
}

/** The desktop's choice of a keyboard input method, which a runner on a desktop inherits. */
const NO_INPUT = 'INPUT_METHOD';

/** The runner only warns of names that action.yml does not have; a misspelt safety input must not pass. */
function unknownInputs(env: NodeJS.ProcessEnv): string[] {
  const known = new Set([...INPUT_NAMES.map(variable), NO_INPUT]);
  return Object.keys(env)
    .filter((key) => key.startsWith('INPUT_') && !known.has(key))
    .map((key) => {
      const name = key.slice('INPUT_'.length).toLowerCase();
      const meant = nearest(name, INPUT_NAMES);
      return `${quote(name)}: there is no such input; ${meant ? `did you mean \`${meant}\`?` : 'see docs/reference/inputs.md for those there are'}`;
    });
}

function variable(name: string): string {
  return `INPUT_${name.toUpperCase()}`;
}

function toConfig(values: InputValues, paths: FilePaths): Config {
  return {
    mode: values.mode,
    timeout: values.timeout,
    stableFor: values['stable-for'],

    kubeconfig: values.kubeconfig,
    context: values.context,
    namespace: values.namespace,
    createNamespace: values['create-namespace'],
    expectCluster: values['expect-cluster'],

    name: values.name,
    image: values.image,
    datacenter: values.datacenter,
    domain: values.domain,
    servers: SERVERS[values.servers],
    clients: values.clients,
    clientReplicas: values['client-replicas'],
    clientMaxUnavailable: values['client-max-unavailable'],
    recursors: values.recursors,
    ui: values.ui,

    serverStorage: values['server-storage'],
    storageClass: values['storage-class'],
    serverAddresses: values['server-addresses'],
    serverResources: values['server-resources'],
    clientResources: values['client-resources'],
    serverConfig: values['server-config'],
    clientConfig: values['client-config'],
    patches: values.patches,
    postRender: values['post-render'],

    gossipEncryption: values['gossip-encryption'],
    gossipKeySecret: values['gossip-key-secret'],
    tls: values.tls,
    tlsSecret: values['tls-secret'],
    tlsClientSecret: values['tls-client-secret'],
    https: values.https,
    renew: values.renew,
    rotate: values.rotate,

    snapshot: values.snapshot,
    snapshotKey: values['snapshot-key'],
    snapshotPlain: values['snapshot-plain'],
    restoreFrom: values.from,
    rehearse: values.rehearse,

    forceConflicts: values['force-conflicts'],
    adopt: values.adopt,
    expectPlan: values['expect-plan'],
    allowDataLoss: values['allow-data-loss'],
    prune: values.prune,
    maxPrune: values['max-prune'],
    onDrift: values['on-drift'],
    confirm: values.confirm,
    destroyData: values['destroy-data'],
    sweepApply: values['sweep-apply'],
    deregister: values.deregister,
    lock: values.lock,
    moveRegistrations: values['move-registrations'],

    smoke: values.smoke,
    smokeService: values['smoke-service'],
    smokeDns: values['smoke-dns'],
    maxUnreadyClients: values['max-unready-clients'],
    chaos: values.chaos,

    summary: values.summary,
    logLevel: values['log-level'],

    ...paths,
  };
}
