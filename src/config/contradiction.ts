import { INPUTS, type InputName, type InputValues } from './inputs.ts';
import { quote } from './mistake.ts';

/**
 * Inputs that are right by themselves and wrong together, one line each.
 * @param values those inputs that could be parsed
 * @param texts what was given for every input, defaults included
 */
export function contradictions(
  values: Partial<InputValues>,
  texts: Readonly<Record<InputName, string>>,
): string[] {
  const found: string[] = [];
  const refuse = (name: InputName, allowed: string) =>
    found.push(`${name}: given ${texts[name] === '' ? 'nothing' : quote(texts[name])}; allowed: ${allowed}`);

  const { timeout, clients } = values;
  const stableFor = values['stable-for'];
  if (timeout !== undefined && stableFor !== undefined && stableFor >= timeout) {
    refuse('stable-for', `less than timeout, which is ${texts.timeout}`);
  }
  if (values['storage-class'] !== undefined && values['server-storage']?.kind === 'ephemeral') {
    refuse('storage-class', 'nothing with server-storage ephemeral, which has no volumes');
  }
  if (values['server-addresses'] === 'service' && values['server-storage']?.kind === 'ephemeral') {
    refuse(
      'server-addresses',
      'auto or pod with server-storage ephemeral; a server without its data must not come back at an address that votes',
    );
  }
  const replicas = values['client-replicas'];
  if (
    replicas !== undefined &&
    clients !== undefined &&
    clients !== 'statefulset' &&
    replicas !== Number(INPUTS['client-replicas'].default)
  ) {
    refuse('client-replicas', `nothing with clients ${clients}; it counts the clients of a statefulset`);
  }
  if (values['move-registrations'] && clients === 'none') {
    refuse('move-registrations', 'false with clients none; there would be no client to move them to');
  }
  const { mode, name, confirm } = values;
  if (mode === 'destroy' && name !== undefined && confirm !== name) {
    refuse('confirm', `${quote(name)}, the name of the cluster to destroy`);
  }
  if (mode !== undefined && mode !== 'deploy' && values['expect-plan'] !== undefined) {
    refuse('expect-plan', `nothing with mode ${mode}; it holds a deploy to its plan`);
  }
  if (mode !== undefined && mode !== 'sweep') {
    const only = `nothing with mode ${mode}; it says what a sweep removes`;
    if (values['sweep-apply']) refuse('sweep-apply', only);
    if ((values.deregister ?? []).length > 0) refuse('deregister', only);
  }
  const { rotate = [] } = values;
  if (mode !== undefined && mode !== 'deploy' && mode !== 'plan' && rotate.length > 0) {
    refuse('rotate', `nothing with mode ${mode}; only a deploy rotates, and a plan tells what it will do`);
  }
  if (values['gossip-encryption'] === 'false') {
    if (rotate.includes('gossip')) refuse('rotate', 'not gossip with gossip-encryption false');
    if (values['gossip-key-secret'] !== undefined)
      refuse('gossip-key-secret', 'nothing with gossip-encryption false, which has no key');
  }
  if (mode !== undefined && mode !== 'verify' && mode !== 'deploy' && values.renew) {
    refuse('renew', `nothing with mode ${mode}; verify renews with it, and deploy in any case`);
  }
  const [ofServers, ofClients] = [values['tls-secret'], values['tls-client-secret']];
  if (ofServers !== undefined && ofClients === undefined)
    refuse(
      'tls-secret',
      'together with tls-client-secret: a client must not have the certificate of a server',
    );
  if (ofServers === undefined && ofClients !== undefined)
    refuse('tls-client-secret', 'together with tls-secret');
  if (ofServers !== undefined && rotate.includes('ca')) {
    refuse(
      'rotate',
      'not ca with tls-secret; a new authority goes into that Secret, and any deploy takes it',
    );
  }
  if (values.tls === 'false') {
    if (rotate.includes('ca')) refuse('rotate', 'not ca with tls false');
    if (values.https !== undefined && values.https !== 'off')
      refuse('https', 'off with tls false, which has no certificates');
    if (ofServers !== undefined) refuse('tls-secret', 'nothing with tls false, which has no certificates');
  }
  const kept = values['snapshot-key'] !== undefined || values['snapshot-plain'];
  const survives = values.from === 'survivor';
  const reads = mode === 'rehearse' || mode === 'inspect' || (mode === 'restore' && !survives);
  if (mode !== undefined && mode !== 'restore' && survives)
    refuse('from', `snapshot with mode ${mode}; only restore knows another`);
  if (reads && values.restore === undefined && texts.restore === '')
    refuse('restore', `the file with the snapshot, with mode ${mode}`);
  if (mode !== undefined && !reads && values.restore !== undefined)
    refuse(
      'restore',
      mode === 'restore'
        ? 'nothing with from survivor, which brings back what a server has'
        : `nothing with mode ${mode}; only restore, rehearse and inspect read it`,
    );
  if (mode !== undefined && mode !== 'inspect' && values.compare !== undefined)
    refuse('compare', `nothing with mode ${mode}; only inspect compares`);
  if (mode === 'restore' && name !== undefined && confirm !== name)
    refuse('confirm', `${quote(name)}, the name of the cluster whose data is replaced`);
  if (!kept && mode === 'restore' && texts['snapshot-key'] === '')
    refuse(
      'snapshot-key',
      'a key or a passphrase with mode restore, for what is there now; or snapshot-plain: true',
    );
  if (!kept && mode === 'snapshot' && texts['snapshot-key'] === '')
    refuse(
      'snapshot-key',
      'a key or a passphrase with mode snapshot, which holds secrets; or snapshot-plain: true',
    );
  if (!kept && values.snapshot === 'always' && texts['snapshot-key'] === '')
    refuse('snapshot', 'always together with snapshot-key, or with snapshot-plain: true');
  if (values['snapshot-key'] !== undefined && values['snapshot-plain'])
    refuse('snapshot-plain', 'false with snapshot-key, with which snapshots are encrypted');
  if (mode !== undefined && mode !== 'verify' && values.rehearse)
    refuse('rehearse', `nothing with mode ${mode}; verify rehearses with it, and mode rehearse a file`);
  const { chaos = [] } = values;
  if (mode !== undefined && mode !== 'verify' && chaos.length > 0) {
    refuse('chaos', `nothing with mode ${mode}; only verify breaks on purpose what it has proven`);
  }
  return found;
}
