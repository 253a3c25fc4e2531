import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { Config } from '../src/config/config.ts';
import { encodeRecord } from '../src/inventory/codec.ts';
import { entryOf } from '../src/inventory/entry.ts';
import type { AccessCheck } from '../src/kubernetes/access.ts';
import { objectLabels } from '../src/manifests/label.ts';
import { render } from '../src/manifests/render.ts';
import { deployMode } from '../src/modes/deploy.ts';
import { destroyMode } from '../src/modes/destroy.ts';
import { inspectMode } from '../src/modes/inspect.ts';
import { planMode } from '../src/modes/plan.ts';
import { rehearseMode } from '../src/modes/rehearse.ts';
import { restoreMode } from '../src/modes/restore.ts';
import { snapshotMode } from '../src/modes/snapshot.ts';
import { sweepMode } from '../src/modes/sweep.ts';
import { verifyMode } from '../src/modes/verify.ts';
import type { Run } from '../src/session/run.ts';
import { takeoverPermissions } from '../src/steps/adoption/survey.ts';
import { restartAccess } from '../src/steps/apply/kept-pods.ts';
import { growthPermissions } from '../src/steps/apply/volume-growth.ts';
import { replacementPermissions } from '../src/steps/encryption/replace-certificates.ts';
import { gossipAccess } from '../src/steps/encryption/settle-gossip.ts';
import { tlsAccess } from '../src/steps/encryption/settle-tls.ts';
import { carryOverPermissions } from '../src/steps/registrations/carry-over.ts';
import { claimPermissions } from '../src/steps/replacement/returning-claims.ts';
import { inventory, runRecord } from './inventory/fixture.ts';
import { kubeconfig } from './kubernetes/fake-server.ts';
import { config, startApi, startRun } from './session/fixture.ts';

const SNAPSHOT_FILE = fileURLToPath(new URL('consul/snapshot/fixture.snap', import.meta.url));
const ROOT = new URL('../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, ROOT), 'utf8');

/** The rows of the table below this heading of SECURITY.md, by their first cell; of the others the words in backticks. */
function promises(heading: string): Map<string, string[][]> {
  const [, section = ''] = read('SECURITY.md').split(`\n### ${heading}\n`);
  const rows = (section.split(/\n##/)[0] ?? '').split('\n').filter((line) => line.startsWith('| '));
  return new Map(
    rows.slice(2).map((row) => {
      const [first = '', ...cells] = row.split('|').slice(1, -1);
      const words = cells.map((cell) =>
        [...new Set([...cell.matchAll(/`([^`]+)`/g)].map(([, word = '']) => word))].sort(),
      );
      return [first.trim(), words];
    }),
  );
}

const kubernetes = promises('In Kubernetes');

/** With clients of the other kind than servers, and a secret, all kinds that are rendered. */
const SHAPE = config({
  clients: 'daemonset',
  serverConfig: { format: 'json', text: '{"encrypt":"gossip-key-1"}' },
});

const ENCRYPTS =
  '`deploy` that takes agents which run to encrypted gossip or TLS, or back, or gives them other certificates';
const RESTARTS = '`deploy` whose agents start again in their pods';
const RENEWS = '`verify` with `renew`, where certificates are due';
const SURVIVOR = '`restore` with `from: survivor`';
const NO_PAIR = { certificate: '', key: '' };
const TLS_THERE = {
  state: 'enforced',
  goal: 'enforced',
  authorities: '',
  server: NO_PAIR,
  client: NO_PAIR,
  revision: 1,
} as const;

/** What the API server is asked for permission to do, by a run against a cluster that has a record and refuses. */
async function asked(
  mode: (run: Run, mask: () => void) => Promise<void>,
  change: Partial<Config>,
): Promise<AccessCheck[]> {
  const name = 'consul-deploy-consul';
  const before = [...render(SHAPE), ...render(config())];
  // Objects of every kind that are rendered no more.
  const old = before.map(entryOf).map((entry) => ({
    ...entry,
    // The only Secrets that a deploy removes are those of agent configuration.
    name: entry.kind === 'Secret' ? 'consul-client-config' : `${entry.name}-old`,
  }));
  const { data, binaryData } = encodeRecord(inventory({ entries: old, history: [runRecord()] }), before);
  const record = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: 'consul', uid: 'uid', labels: objectLabels(config()) },
    data,
    ...(binaryData && { binaryData }),
  };
  const objects = { [`/api/v1/namespaces/consul/configmaps/${name}`]: record };
  const api = await startApi({ objects, denied: ['list pods', 'get statefulsets', 'create namespaces'] });
  const { run } = startRun({
    ...SHAPE,
    kubeconfig: { kind: 'inline', yaml: kubeconfig(api.url) },
    ...change,
  });
  await expect(mode(run, () => undefined)).rejects.toMatchObject({ reason: 'forbidden' });
  return api.calls
    .filter(({ path }) => path.endsWith('/selfsubjectaccessreviews'))
    .map(({ body }) => JSON.parse(body).spec.resourceAttributes as AccessCheck);
}

const CHANGES = ['create', 'patch', 'update'];
const name = ({ resource, subresource }: AccessCheck) =>
  subresource ? `${resource}/${subresource}` : resource;
const named = (checks: readonly AccessCheck[], verbs: readonly string[]) =>
  [...new Set(checks.filter(({ verb }) => verbs.includes(verb)).map(name))].sort();

/** Done without asking for permission first, since the run goes on without. */
const UNASKED: Record<string, { changes?: string[]; deletes?: string[] }> = {
  '`deploy`': { changes: ['namespaces'] },
  '`deploy` with `move-registrations`': { changes: ['namespaces'] },
  '`deploy` that agents take over by a reload': { changes: ['pods'] },
  [ENCRYPTS]: { changes: ['pods'] },
  [RENEWS]: { changes: ['configmaps', 'pods'] },
  '`verify`': { changes: ['configmaps'] },
  '`verify` with `chaos`': { changes: ['configmaps'] },
  '`verify` with `rehearse`': { changes: ['configmaps'] },
  '`restore`': { changes: ['configmaps', 'pods/exec'] },
  [SURVIVOR]: { changes: ['configmaps'] },
  '`destroy` with `destroy-data`': { deletes: ['namespaces'] },
};

function tls(): AccessCheck[] {
  return tlsAccess({ config: config() }, { goal: 'off', files: TLS_THERE, isNew: false });
}

/** Of a verification that finds certificates which are due. */
function renewal(): AccessCheck[] {
  return replacementPermissions({ config: config() }, { given: undefined });
}

/** Back is what takes the most. */
function gossip(): AccessCheck[] {
  const files = { keys: [], state: 'strict', goal: 'strict', revision: 1 } as const;
  return gossipAccess({ config: config() }, { goal: 'off', files, isNew: false });
}

describe('SECURITY.md promises what the code asks permission for', () => {
  const none = async () => [];
  const rows: [string, () => Promise<AccessCheck[]>][] = [
    ['`render`', none],
    ['`plan`', none],
    ['`deploy`', () => asked(deployMode, { mode: 'deploy' })],
    [
      '`deploy` with `move-registrations`',
      () => asked(deployMode, { mode: 'deploy', moveRegistrations: true }),
    ],
    ['`deploy` that replaces clients which hold registrations', async () => carryOverPermissions('consul')],
    ['`deploy` that takes over what was made by hand', async () => takeoverPermissions('consul')],
    ['`deploy` that agents take over by a reload', none],
    [RESTARTS, async () => restartAccess('consul')],
    [ENCRYPTS, async () => [...gossip(), ...tls()]],
    ['`deploy` that makes volumes grow', async () => growthPermissions('consul')],
    [
      '`deploy` with more servers, over volumes that servers left behind',
      async () => claimPermissions('consul', ['get', 'delete']),
    ],
    ['`verify`', () => asked(verifyMode, { mode: 'verify' })],
    ['`verify` with `chaos`', () => asked(verifyMode, { mode: 'verify', chaos: ['delete-server'] })],
    ['`verify` with `rehearse`', () => asked(verifyMode, { mode: 'verify', rehearse: true })],
    [RENEWS, async () => [...(await asked(verifyMode, { mode: 'verify' })), ...renewal()]],
    ['`sweep`', () => asked(sweepMode, { mode: 'sweep' })],
    ['`snapshot`', () => asked(snapshotMode, { mode: 'snapshot' })],
    ['`inspect`', none],
    [
      '`inspect` with `compare: cluster`',
      () => asked(inspectMode, { mode: 'inspect', restorePath: SNAPSHOT_FILE, compare: { kind: 'cluster' } }),
    ],
    ['`rehearse`', () => asked(rehearseMode, { mode: 'rehearse', restorePath: SNAPSHOT_FILE })],
    ['`restore`', () => asked(restoreMode, { mode: 'restore', restorePath: SNAPSHOT_FILE })],
    [SURVIVOR, () => asked(restoreMode, { mode: 'restore', restoreFrom: 'survivor' })],
    ['`destroy`', () => asked(destroyMode, { mode: 'destroy' })],
    ['`destroy` with `destroy-data`', () => asked(destroyMode, { mode: 'destroy', destroyData: true })],
    ['`destroy` that takes a snapshot', () => asked(destroyMode, { mode: 'destroy', snapshotPlain: true })],
  ];

  test('for every kind of run, and for no other', () => {
    expect([...kubernetes.keys()]).toEqual(rows.map(([row]) => row));
  });

  test.each(rows)('%s', async (row, permissions) => {
    const checks = await permissions();
    const { changes = [], deletes = [] } = UNASKED[row] ?? {};
    expect(kubernetes.get(row)).toEqual([
      [...new Set([...named(checks, CHANGES), ...changes])].sort(),
      [...new Set([...named(checks, ['delete']), ...deletes])].sort(),
    ]);
  });
});

test('a plan sends nothing but dry runs', async () => {
  const api = await startApi();
  const { run } = startRun({ mode: 'plan', kubeconfig: { kind: 'inline', yaml: kubeconfig(api.url) } });
  await planMode(run, () => undefined);
  const writes = api.calls.filter(({ method, path }) => method !== 'GET' && !path.endsWith('accessreviews'));
  expect(writes.length).toBeGreaterThan(10);
  expect(writes.filter(({ query }) => query.get('dryRun') !== 'All')).toEqual([]);
});

function sources(folder = 'src'): [string, string][] {
  return readdirSync(new URL(folder, ROOT), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => [file, read(join(folder, file))]);
}

/** A request that deletes, and the functions that send one. */
const DELETES = /'DELETE', path|(?<![.#\w])(?:deleteObject|removedAsSeen|remove)\(/;
/** The functions that change an object or reach into a pod, and requests beside them. */
const CHANGES_OR_EXECS = /method: '(?:PATCH|POST|PUT)'|(?<![.#\w])(?:applyObject|applyStage|runInPod)\(/;
const ASKS = /(?<![.#\w])(?:requirePermissions|checkPermissions)\(/;

const [DEPLOY, VERIFY, DESTROY, DESTROY_DATA] = [
  '`deploy`',
  '`verify`',
  '`destroy`',
  '`destroy` with `destroy-data`',
];
const REPLACES = '`deploy` that replaces clients which hold registrations';
const TAKES_OVER = '`deploy` that takes over what was made by hand';
const RELOADS = '`deploy` that agents take over by a reload';
const GROWS = '`deploy` that makes volumes grow';
const RETURNS = '`deploy` with more servers, over volumes that servers left behind';

test.each<[string, RegExp, number | undefined, string[], Record<string, string>]>([
  [
    'deletes in Kubernetes',
    DELETES,
    1,
    // What all the others call.
    // The guard deletes a lost voter in Consul.
    ['kubernetes/delete.ts', 'manifests/server/guard.ts', 'steps/removal/removal.ts'],
    {
      'kubernetes/lease/lease-record.ts': DESTROY,
      'kubernetes/lease/lease.ts': DESTROY,
      'steps/adoption/recreate.ts': TAKES_OVER,
      'steps/chaos/fault.ts': '`verify` with `chaos`',
      'steps/removal/volume-claims.ts': DESTROY_DATA,
      'modes/destroy.ts': DESTROY,
      'steps/removal/empty-namespace.ts': DESTROY_DATA,
      'steps/registrations/carry-over.ts': REPLACES,
      'steps/encryption/secret.ts': ENCRYPTS,
      'steps/removal/prune.ts': DEPLOY,
      'steps/rehearsal/namespace.ts': '`rehearse`',
      'steps/replacement/returning-claims.ts': RETURNS,
      'steps/removal/take-down.ts': DESTROY,
    },
  ],
  [
    'changes something in Kubernetes, or reaches into a pod',
    CHANGES_OR_EXECS,
    0,
    // What all the others call; questions; and dry runs.
    [
      'kubernetes/access.ts',
      'kubernetes/apply/apply.ts',
      'kubernetes/streams/command.ts',
      'kubernetes/apply/dry-run.ts',
      'kubernetes/apply/stand-in.ts',
      'kubernetes/apply/takeover-dry-run.ts',
      'steps/drift/compare.ts',
    ],
    {
      'kubernetes/apply/recreation.ts': TAKES_OVER,
      'kubernetes/apply/takeover.ts': DEPLOY,
      'steps/adoption/move.ts': TAKES_OVER,
      'steps/adoption/recreate.ts': TAKES_OVER,
      'steps/adoption/survey.ts': TAKES_OVER,
      'steps/apply/apply.ts': DEPLOY,
      'steps/replacement/clients.ts': REPLACES,
      'modes/apply-stages.ts': DEPLOY,
      'modes/deploy.ts': DEPLOY,
      'steps/apply/namespace.ts': DEPLOY,
      'steps/apply/image-in-pods.ts': RESTARTS,
      'steps/apply/retry-controllers.ts': DEPLOY,
      'steps/record/record.ts': VERIFY,
      'steps/recovery/look.ts': '`restore`',
      'steps/recovery/rebuild-quorum.ts': SURVIVOR,
      'steps/recovery/start-empty.ts': '`restore`',
      'steps/rehearsal/namespace.ts': '`rehearse`',
      'steps/rehearsal/server.ts': '`rehearse`',
      'steps/reload/refresh-files.ts': RELOADS,
      'steps/registrations/stash.ts': REPLACES,
      'steps/replacement/scale-down.ts': DEPLOY,
      'steps/restart/start-again.ts': RESTARTS,
      'steps/restart/new-image.ts': RESTARTS,
      'steps/restart/images.ts': RESTARTS,
      'steps/apply/volume-growth.ts': GROWS,
      'steps/apply/volume-size.ts': GROWS,
      'steps/encryption/secret.ts': DEPLOY,
      'steps/encryption/in-pods/pod-files.ts': RENEWS,
      'steps/encryption/in-pods/restart.ts': ENCRYPTS,
      'steps/replacement/servers.ts': DEPLOY,
    },
  ],
  [
    'asks for permissions',
    ASKS,
    undefined,
    ['steps/preflight/permissions.ts'],
    {
      'steps/adoption/survey.ts': TAKES_OVER,
      'modes/deploy-plan.ts': TAKES_OVER,
      'modes/destroy.ts': DESTROY,
      'steps/preflight/preflight.ts': DEPLOY,
      'steps/encryption/gossip-walk.ts': ENCRYPTS,
      'steps/encryption/replace-certificates.ts': RENEWS,
      'steps/encryption/tls-walk.ts': ENCRYPTS,
      'steps/replacement/returning-claims.ts': RETURNS,
      'steps/replacement/clients-survey.ts': REPLACES,
      'modes/sweep.ts': '`sweep`',
      'modes/with-servers.ts': '`snapshot`',
      'modes/rehearse.ts': '`rehearse`',
      'modes/restore.ts': '`restore`',
      'modes/restore-survivor.ts': SURVIVOR,
      'modes/verify.ts': VERIFY,
      'steps/apply/volume-growth.ts': GROWS,
    },
  ],
])('what %s belongs to a run of which SECURITY.md says so', (_, pattern, column, shared, rows) => {
  const found = sources()
    .filter(([file, text]) => !file.startsWith('consul/') && pattern.test(text))
    .map(([file]) => file);
  expect(found.filter((file) => !shared.includes(file)).sort()).toEqual(Object.keys(rows).sort());
  for (const row of Object.values(rows)) {
    const cells = kubernetes.get(row) ?? [];
    expect(column === undefined ? cells.flat() : cells[column], row).not.toEqual([]);
  }
});

test('what is written to Consul is what SECURITY.md says, call by call', () => {
  const READ = [
    /^\/v1\/(acl\/token\/self|agent\/(checks|members|self|services?)|peerings)$/,
    /^\/v1\/(catalog\/(datacenters|nodes|node-services|services?|service\/.*)|health\/.*|status\/.*)$/,
    /^\/v1\/(operator\/autopilot\/state|operator\/raft\/configuration|session\/(list|node))$/,
  ];
  // Comments name calls, too.
  const code = sources().map(([, text]) => text.replace(/\/\*.*?\*\//gs, ''));
  const calls = code.flatMap((text) =>
    // Those of a shell have the address before them.
    [...text.matchAll(/(?:['`]|:\$\{httpPort\})(\/v1\/[a-z/-]+)/g)].map(([, path = '']) =>
      path.replace(/\/$/, ''),
    ),
  );
  const writes = [...new Set(calls)].filter((path) => !READ.some((pattern) => pattern.test(path)));
  const promised = [...promises('In Consul').keys()].flatMap((calls) => calls.match(/\/v1\/[a-z/-]+/g) ?? []);
  expect(promised.sort()).toEqual(writes.sort());
});
