import { visible } from '../../consul/snapshot/name.ts';
import { compareMinor, minorOf } from '../../consul/snapshot/version.ts';
import { Failure } from '../../failure.ts';
import type { Run } from '../../session/run.ts';
import type { ToRestore } from './to-restore.ts';

const CHECK = { group: 'data', id: 'restore-version', title: 'Version of the snapshot' } as const;

/**
 * A server reads what a later Consul has written only by luck: it has no record of kinds that it does not know, and ends at
 * the first of them.
 * @param servers versions of those that are to read it
 * @throws Failure `wrong-version` where one of them has an earlier minor version than the servers of the snapshot had
 */
export function checkVersion(run: Run, file: ToRestore, servers: readonly (string | undefined)[]): void {
  const expected = 'no later minor version than that of the servers';
  const [wrote] = file.versions;
  const [reads] = servers
    .flatMap((version) => (version !== undefined && minorOf(version) ? [version] : []))
    .sort(compareMinor);
  if (wrote === undefined || reads === undefined) {
    const whose = wrote === undefined ? 'the snapshot does not say' : 'no server says';
    const observed = `not compared: ${whose} of which version it is`;
    run.check({ ...CHECK, expected, observed, passed: true });
    return;
  }
  const passed = compareMinor(wrote, reads) <= 0;
  const observed = `Consul ${visible(wrote)} has written it, and ${visible(reads)} ${passed ? 'reads' : 'is to read'} it`;
  run.check({ ...CHECK, expected, observed, passed });
  if (passed) return;
  throw new Failure({
    reason: 'wrong-version',
    what: `the snapshot is of Consul ${visible(wrote)}, and a server of ${visible(reads)} would have to read it`,
    where: file.path,
    hint: 'Nothing was restored. An earlier Consul does not know all that a later one writes, and may not start again with it. Deploy with an `image` of that version or a later one, then run this again; or take an earlier snapshot.',
  });
}
