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
    found.push(`${name}: given ${quote(texts[name])}; allowed: ${allowed}`);

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
  const { chaos = [] } = values;
  if (mode !== undefined && mode !== 'verify' && chaos.length > 0) {
    refuse('chaos', `nothing with mode ${mode}; only verify breaks on purpose what it has proven`);
  }
  return found;
}
