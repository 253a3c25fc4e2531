/**
 * The arrows of docs/design/architecture.md, checked: `depcruise src`.
 *
 * The parser is swc, since dependency-cruiser reads TypeScript through the compiler's JavaScript API, which
 * TypeScript 7 does not have. Without a parser it would find no module at all and call that a success, so its
 * absence is made an error here.
 */
require('@swc/core');

/** What rooms share: an error class, a way to count, a reader of YAML and two files that hold types. */
const FAILURE = '^src/failure\\.ts$';
/** A number and its noun. */
const COUNT = '^src/count\\.ts$';
/** How a YAML text is read, whoever wrote it. */
const YAML = '^src/yaml\\.ts$';
const OBJECT = '^src/kubernetes/object\\.ts$';
/** Types of what a report shows of changes. */
const CHANGES = '^src/report/result/change\\.ts$';
const CONFIG = '^src/config/config\\.ts$';
/** What a secret is, by its name and its shape. */
const SECRET = '^src/secret/';
/** The steps on the way to encryption, by name. */
const ENCRYPTION_STATES = '^src/consul/(gossip|rpc)/state\\.ts$';
/** What a certificate and its key are. */
const KEY_PAIR = '^src/certificates/authority\\.ts$';

/** A folder that may import from src/ only what is named, besides itself, failure.ts and count.ts. */
function room(name, allowed, comment) {
  return {
    name: `${name}-knows-only-its-own`,
    comment,
    severity: 'error',
    from: { path: `^src/${name}/` },
    to: { path: '^src/', pathNot: [`^src/${name}/`, FAILURE, COUNT, ...allowed] },
  };
}

/** Which steps a step may build on, besides the session and the rooms. There is no way back. */
const STEPS = {
  adoption: ['apply', 'encryption', 'preflight', 'proof', 'registrations', 'replacement'],
  apply: ['preflight'],
  chaos: ['proof', 'triage'],
  encryption: ['apply', 'plan', 'preflight', 'proof', 'registrations', 'reload', 'removal', 'replacement'],
  drift: ['proof', 'record', 'triage'],
  plan: ['record', 'render'],
  preflight: [],
  proof: ['registrations'],
  record: ['proof'],
  recovery: ['record', 'snapshot'],
  rehearsal: ['removal', 'snapshot'],
  registrations: [],
  reload: [],
  restart: ['apply', 'proof', 'registrations', 'reload', 'replacement'],
  removal: ['record'],
  render: [],
  replacement: ['apply', 'plan', 'preflight', 'proof', 'registrations', 'removal'],
  snapshot: [],
  sweep: ['proof'],
  triage: ['proof'],
};

function step([name, steps]) {
  return {
    name: `step-${name}-builds-on-its-own`,
    severity: 'error',
    from: { path: `^src/steps/${name}/` },
    to: { path: '^src/steps/', pathNot: [name, ...steps].map((one) => `^src/steps/${one}/`) },
  };
}

module.exports = {
  forbidden: [
    ...Object.entries(STEPS).map(step),
    {
      name: 'steps-are-named-above',
      comment: 'A new step says what it builds on.',
      severity: 'error',
      from: { path: '^src/steps/', pathNot: Object.keys(STEPS).map((name) => `^src/steps/${name}/`) },
      to: { path: '^src/' },
    },
    {
      name: 'session-knows-no-steps',
      comment: 'A session is what every step works with; it does nothing by itself.',
      severity: 'error',
      from: { path: '^src/session/' },
      to: { path: '^src/steps/' },
    },
    room('secret', [], 'Pure: text and JSON in, the secrets in them out.'),
    room('config', [SECRET, YAML], 'The inputs are read without knowing who wants them.'),
    room('kubernetes', [SECRET], 'Speaks to the API server and knows nothing of Consul.'),
    room('consul', [], 'Speaks to Consul over any stream and knows nothing of Kubernetes.'),
    room('rollout', [OBJECT], 'Verdicts on Kubernetes objects: it needs their shape and nothing else.'),
    room(
      'diagnosis',
      ['^src/(rollout|consul)/', '^src/kubernetes/event\\.ts$'],
      'Pure: what was seen in, what it means out. It asks nobody.',
    ),
    room(
      'change',
      [OBJECT, CHANGES, SECRET],
      'Pure: two states of an object in, what differs and what that does out.',
    ),
    room('inventory', [OBJECT, SECRET], 'Pure: what a deployment owns, and what of it is to go.'),
    room(
      'manifests',
      [OBJECT, CONFIG, SECRET, YAML, ENCRYPTION_STATES, KEY_PAIR],
      'Pure: a Config in, Kubernetes objects out. It never reads inputs.',
    ),
    room(
      'cli',
      [
        SECRET,
        YAML,
        '^src/config/',
        '^src/report/(log|publish)\\.ts$',
        '^src/session/(run|version)\\.ts$',
        '^src/main\\.ts$',
      ],
      'A thin layer in front of main: a command line in, the inputs of the action out.',
    ),
    {
      name: 'only-the-entry-point-imports-cli',
      comment: 'The action never loads it.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(cli/|index\\.ts$)' },
      to: { path: '^src/cli/' },
    },
    room('report', [], 'A report says what is in the Result; it never asks anybody.'),
    {
      name: 'failure-knows-nobody',
      comment: 'Everybody imports it.',
      severity: 'error',
      from: { path: FAILURE },
      to: { path: '^src/' },
    },
    {
      name: 'nobody-imports-modes',
      comment: 'Modes tell the story; only the entry points may ask for one.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(modes/|(main|index|post)\\.ts$)' },
      to: { path: '^src/modes/' },
    },
    {
      name: 'nobody-imports-entry-points',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(index|post|cli/command)\\.ts$' },
      to: { path: '^src/(main|index|post)\\.ts$' },
    },
    {
      name: 'client-node-stays-in-kubernetes',
      comment:
        'Its typed patch drops fields silently; the house speaks to the API server by its own transport.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/kubernetes/' },
      to: { path: '@kubernetes/client-node' },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-orphans',
      comment: 'Nobody imports it and it imports nobody: finish it or remove it.',
      severity: 'error',
      from: { orphan: true, path: '^src/', pathNot: '\\.d\\.ts$' },
      to: {},
    },
    {
      name: 'no-folder-named-utils',
      comment: 'A folder has the name of what it is about.',
      severity: 'error',
      from: {},
      to: { path: '^src/.*\\b(utils?|helpers?|common|misc)/' },
    },
    {
      name: 'resolvable',
      comment: 'An import that the cruiser cannot follow is an arrow it cannot check.',
      severity: 'error',
      from: { path: '^src/' },
      to: { couldNotResolve: true },
    },
    {
      name: 'no-development-dependencies',
      comment: 'The action ships what it imports.',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg'] },
    },
  ],
  options: {
    // It sees imports of types too; `tsPreCompilationDeps` would ask for the compiler all the same, and warn.
    parser: 'swc',
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
};
