// Checks a first deploy from outside: what the action says, its report, and what Consul's own command line says. The demo
// and CI (.github/workflows/e2e-kind.yml) both ask by this.
// usage: node script/lib/check-deploy.mjs [--changed] [--pulled] OUTPUTS.json REPORT.json
//        --changed  something was changed, as by a first deploy
//        --pulled   the image came from a registry, so it is known by its digest
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

const SERVERS = 3;
const CLIENTS = 10;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { changed: { type: 'boolean' }, pulled: { type: 'boolean' } },
});
const [outputs, report] = positionals.map((path) => JSON.parse(readFileSync(path, 'utf8')));
if (!report) throw new Error('usage: check-deploy.mjs [--changed] [--pulled] OUTPUTS.json REPORT.json');
const action = readFileSync(new URL('../../action.yml', import.meta.url), 'utf8');
const [, version] = /hashicorp\/consul:(\d+\.\d+\.\d+)/.exec(action) ?? [];

let failed = 0;

function check(what, expected, observed) {
  const passed = expected instanceof RegExp ? expected.test(observed) : observed === expected;
  if (!passed) failed++;
  console.log(`  ${passed ? '✓' : '✗'} ${what}: ${observed}${passed ? '' : `, and not ${expected}`}`);
}

/** The words of each line that Consul's command line prints at a server. */
function consul(...words) {
  const exec = ['-n', report.namespace, 'exec', 'consul-server-0', '-c', 'consul', '--', 'consul', ...words];
  const { status, stdout, stderr, error } = spawnSync(process.env.KUBECTL ?? 'kubectl', exec, {
    encoding: 'utf8',
  });
  if (status !== 0) console.log(`  consul ${words.join(' ')}: ${error?.message ?? stderr.trim()}`);
  return (stdout ?? '').split('\n').map((line) => line.trim().split(/\s+/));
}

console.log('The action says');
check('result', 'success', outputs.result);
check('failure reason', '', outputs['failure-reason']);
if (options.changed) check('changed', 'true', outputs.changed);
check('voters', String(SERVERS), outputs.voters);
check('clients ready', String(CLIENTS), outputs['clients-ready']);
check('version of Consul', version, outputs['consul-version']);
if (options.pulled) check('image', /@sha256:[0-9a-f]{64}$/, outputs.image);
check('result in the report', 'success', report.result);

console.log('Consul says');
const peers = consul('operator', 'raft', 'list-peers');
check('voters', SERVERS, peers.filter((words) => words.includes('true')).length);
check('leader', outputs.leader, peers.find((words) => words.includes('leader'))?.[0]);
const alive = consul('members').filter((words) => words.includes('alive'));
check('members alive', SERVERS + CLIENTS, alive.length);
process.exitCode = failed > 0 ? 1 : 0;
