import Builder from 'fast-xml-builder';
import { count } from '../count.ts';
import { logSafe, oneLine } from './escape.ts';
import type { Check, Result } from './result.ts';
import { touchesCluster, verdict } from './verdict.ts';

/** The keys of builder: attributes by `@`, text by `#text`, everything else an element. */
type Element = Record<string, unknown>;

const GROUPS: readonly Check['group'][] = [
  'cluster',
  'servers',
  'clients',
  'quorum',
  'smoke',
  'drift',
  'chaos',
  'catalog',
  'data',
];
const MAX_LINE = 4000;

/**
 * The JUnit XML that most CI systems read: a suite for the verdict, with the facts of the cluster as properties,
 * and one for each group of checks. https://github.com/testmoapp/junitxml
 */
export function toJunit(result: Result): string {
  const suites = [verdictSuite(result), ...GROUPS.flatMap((group) => groupSuite(result, group))];
  const builder = new Builder({
    attributeNamePrefix: '@',
    ignoreAttributes: false,
    suppressBooleanAttributes: false,
    suppressEmptyNode: true,
    format: true,
  });
  const total = (key: string) => suites.reduce((sum, suite) => sum + Number(suite[key]), 0);
  return builder.build({
    '?xml': { '@version': '1.0', '@encoding': 'UTF-8' },
    testsuites: {
      '@name': 'consul-deploy',
      '@tests': total('@tests'),
      '@failures': total('@failures'),
      '@errors': 0,
      '@skipped': total('@skipped'),
      '@time': seconds(result.durationMs),
      testsuite: suites,
    },
  });
}

/** There also when the run succeeded: a CI system tells from it that what failed before works again. */
function verdictSuite(result: Result): Element {
  const failed = result.result !== 'success';
  return {
    ...suiteAttributes(
      result,
      'verdict',
      { tests: 1, failures: failed ? 1 : 0, skipped: 0 },
      result.durationMs,
    ),
    properties: { property: facts(result) },
    testcase: {
      '@name': 'verdict',
      '@classname': 'consul-deploy.verdict',
      '@time': seconds(result.durationMs),
      ...(failed && { failure: verdictFailure(result) }),
    },
  };
}

function verdictFailure(result: Result): Element {
  const { failure } = result;
  const lines: [string, string | undefined][] = [
    ['What', failure?.what],
    ['Where', failure?.where],
    ['What to do', failure?.hint],
    ['Help', failure?.help],
    ['The cluster is left as', touchesCluster(result) ? result.left : undefined],
  ];
  const details = failure?.details ?? [];
  return {
    '@message': text(verdict(result).headline),
    '@type': failure?.reason ?? result.result,
    '#text': [
      ...lines.flatMap(([label, value]) => (value === undefined ? [] : [`${label}: ${text(value)}`])),
      ...(details.length > 0 ? [`Evidence (${count(details.length, 'line')}):`, ...details.map(text)] : []),
    ].join('\n'),
  };
}

function groupSuite(result: Result, group: Check['group']): Element[] {
  const checks = result.checks.filter((check) => check.group === group);
  if (checks.length === 0) return [];
  const having = (...states: Check['status'][]) => checks.filter(({ status }) => states.includes(status));
  // The checks of a group run side by side.
  const longest = Math.max(...checks.map(({ durationMs }) => durationMs));
  const [failures, skipped] = [having('failed', 'pending').length, having('skipped').length];
  return [
    {
      ...suiteAttributes(result, group, { tests: checks.length, failures, skipped }, longest),
      testcase: checks.map(testcase),
    },
  ];
}

function suiteAttributes(
  { startedAt }: Result,
  name: string,
  { tests, failures, skipped }: { tests: number; failures: number; skipped: number },
  ms: number,
): Element {
  return {
    '@name': name,
    '@tests': tests,
    '@failures': failures,
    '@errors': 0,
    '@skipped': skipped,
    '@time': seconds(ms),
    '@timestamp': text(startedAt),
  };
}

function testcase(check: Check): Element {
  const { title, group, status, durationMs, ...rest } = check;
  const [expected, observed] = [text(rest.expected), text(rest.observed)];
  return {
    '@name': text(title),
    '@classname': `consul-deploy.${group}`,
    '@time': seconds(durationMs),
    ...(status === 'skipped' && { skipped: { '@message': observed } }),
    // One that was still open when the run ended has not passed, either.
    ...((status === 'failed' || status === 'pending') && {
      failure: {
        '@message': `expected ${expected}, observed ${observed}`,
        '@type': status,
        '#text': `Expected: ${expected}\nObserved: ${observed}`,
      },
    }),
  };
}

function facts(result: Result): Element[] {
  const { cluster } = result;
  const known: Record<string, string | number | boolean | undefined> = {
    mode: result.mode,
    result: result.result,
    name: result.name,
    namespace: result.namespace,
    'kubernetes-server': cluster?.server,
    'kubernetes-context': cluster?.context,
    'kubernetes-version': cluster?.version,
    'consul-version': result.consulVersion,
    image: result.image,
    'manifest-digest': result.manifestDigest,
    changed: result.changed,
    leader: result.leader,
    voters: result.voters,
    'clients-ready': result.clientsReady,
    'clients-desired': result.clientsDesired,
  };
  return Object.entries(known).flatMap(([name, value]) =>
    value === undefined ? [] : [{ '@name': name, '@value': text(String(value)) }],
  );
}

/** One line that XML 1.0 allows, and that is no command to a runner whose log the file is printed to. */
function text(untrusted: string): string {
  return logSafe(oneLine(untrusted, MAX_LINE).replace(/[\ufffe\uffff]/g, ''));
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}
