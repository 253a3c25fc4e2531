import type { Mode } from './config.ts';
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

  const { timeout, clients, mode, name, confirm, rotate = [] } = values;
  /** @param isGiven whether it asks for anything */
  const onlyWith = (modes: readonly Mode[], input: InputName, isGiven: unknown, why: string) => {
    if (mode !== undefined && !modes.includes(mode) && isGiven)
      refuse(input, `nothing with mode ${mode}; ${why}`);
  };
  const stableFor = values['stable-for'];
  if (timeout !== undefined && stableFor !== undefined && stableFor >= timeout) {
    refuse('stable-for', `less than timeout, which is ${texts.timeout}`);
  }
  if (values['server-storage']?.kind === 'ephemeral') {
    if (values['storage-class'] !== undefined)
      refuse('storage-class', 'nothing with server-storage ephemeral, which has no volumes');
    if (values['server-addresses'] === 'service')
      refuse(
        'server-addresses',
        'auto or pod with server-storage ephemeral; a server without its data must not come back at an address that votes',
      );
  }
  const replicas = values['client-replicas'];
  const isOther = replicas !== undefined && replicas !== Number(INPUTS['client-replicas'].default);
  if (isOther && clients !== undefined && clients !== 'statefulset') {
    refuse('client-replicas', `nothing with clients ${clients}; it counts the clients of a statefulset`);
  }
  if (values['move-registrations'] && clients === 'none') {
    refuse('move-registrations', 'false with clients none; there would be no client to move them to');
  }
  onlyWith(['deploy'], 'expect-plan', values['expect-plan'], 'it holds a deploy to its plan');
  const swept = 'it says what a sweep removes';
  onlyWith(['sweep'], 'sweep-apply', values['sweep-apply'], swept);
  onlyWith(['sweep'], 'deregister', values.deregister?.length, swept);
  const rotates = 'only a deploy rotates, and a plan tells what it will do';
  onlyWith(['deploy', 'plan'], 'rotate', rotate.length, rotates);
  if (values['gossip-encryption'] === 'false') {
    if (rotate.includes('gossip')) refuse('rotate', 'not gossip with gossip-encryption false');
    if (values['gossip-key-secret'] !== undefined)
      refuse('gossip-key-secret', 'nothing with gossip-encryption false, which has no key');
  }
  onlyWith(['verify', 'deploy'], 'renew', values.renew, 'verify renews with it, and deploy in any case');
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
  const survives = values.from === 'survivor';
  if (survives && mode !== undefined && mode !== 'restore')
    refuse('from', `snapshot with mode ${mode}; only restore knows another`);
  const reads = mode === 'rehearse' || mode === 'inspect' || (mode === 'restore' && !survives);
  if (reads && texts.restore === '') refuse('restore', `the file with the snapshot, with mode ${mode}`);
  const read = 'only restore, rehearse and inspect read it';
  onlyWith(['restore', 'rehearse', 'inspect'], 'restore', values.restore, read);
  if (mode === 'restore' && survives && values.restore !== undefined)
    refuse('restore', 'nothing with from survivor, which brings back what a server has');
  onlyWith(['inspect'], 'compare', values.compare, 'only inspect compares');
  if ((mode === 'destroy' || mode === 'restore') && name !== undefined && confirm !== name) {
    const which = mode === 'destroy' ? 'to destroy' : 'whose data is replaced';
    refuse('confirm', `${quote(name)}, the name of the cluster ${which}`);
  }
  if (texts['snapshot-key'] === '' && !values['snapshot-plain']) {
    if (mode === 'restore')
      refuse(
        'snapshot-key',
        'a key or a passphrase with mode restore, for what is there now; or snapshot-plain: true',
      );
    if (mode === 'snapshot')
      refuse(
        'snapshot-key',
        'a key or a passphrase with mode snapshot, which holds secrets; or snapshot-plain: true',
      );
    if (values.snapshot === 'always')
      refuse('snapshot', 'always together with snapshot-key, or with snapshot-plain: true');
  }
  if (values['snapshot-key'] !== undefined && values['snapshot-plain'])
    refuse('snapshot-plain', 'false with snapshot-key, with which snapshots are encrypted');
  const rehearses = 'verify rehearses with it, and mode rehearse a file';
  onlyWith(['verify'], 'rehearse', values.rehearse, rehearses);
  onlyWith(['verify'], 'chaos', values.chaos?.length, 'only verify breaks on purpose what it has proven');
  return found;
}
