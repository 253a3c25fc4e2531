import { leadingServer, successorsOf } from '../../consul/quorum/leadership-transfer.ts';
import type { PodView } from '../../rollout/pod.ts';
import { expectationOf } from '../../session/expectation.ts';
import type { RunStep } from '../../session/run/run-step.ts';
import type { Run } from '../../session/run.ts';
import { Wake, wakeAtChanges } from '../../session/wake.ts';
import { type LookObserver, type QuorumLook, QuorumWatch } from '../proof/quorum-watch.ts';
import { HandOvers } from '../replacement/hand-overs.ts';
import { isVital, mayStop, pendingOf } from '../replacement/stop-rule.ts';
import type { Renewal } from './renewal.ts';
import { LOOK_MS, OneRestart, type RestartTools, type RoleRestart } from './restart-one.ts';

/**
 * One at a time, each only while Raft can do without it. Its pod has what is new before that is asked, and it
 * is asked once more at the last moment: a server that stops for a restart stops at once.
 * @param tellDone is told how many have been restarted
 */
export async function restartServers(
  run: Run,
  one: RoleRestart,
  old: readonly PodView[],
  tools: RestartTools & { tellDone: (done: number) => void },
): Promise<void> {
  const { workloads, agents } = tools;
  const names = workloads.serverNames();
  const left = new Map(old.map((pod) => [pod.name, new OneRestart(run, one, pod, tools)]));
  const wake = new Wake();
  // What is in order only when all of them are done is no trouble before.
  const saw: LookObserver['saw'] = (look, expected) =>
    tools.observer.saw({ ...look, findings: look.findings.filter(({ id }) => isVital(id)) }, expected);
  const watch = new QuorumWatch(run, agents, { saw }, { pollMs: LOOK_MS });
  const over = new AbortController();
  void wakeAtChanges(run, workloads, wake, AbortSignal.any([run.signal, over.signal]));
  const expected = () => expectationOf(run.config, workloads, undefined);
  const until = (enough: (look: QuorumLook) => boolean) => watch.until(expected, wake, enough);
  const isFree = (name: string, look: QuorumLook) =>
    mayStop({ workloads, name, isDataKept: true }, look) === 'yes';
  // Who is done already, or is the last to be.
  const rather = (name: string) =>
    one.renewal.order === 'ordinal'
      ? successorsOf(
          name,
          names.toReversed().map((each) => ({ name: each, isReplaced: !left.has(each) })),
        )
      : [];
  const steps = new Map<string, { step: RunStep; handOvers: HandOvers }>();
  try {
    await Promise.all([...left.values()].map((each) => each.untilThere()));
    while (left.size > 0) {
      tools.tellDone(old.length - left.size);
      let next = '';
      await until((look) => {
        next = nextOf(look, [...left.keys()], one.renewal.order);
        if (isFree(next, look)) return true;
        run.log.progress(
          `${next} has to wait: ${pendingOf(look, names) ?? 'too little is known'}`,
          'restart',
        );
        return false;
      });
      const now = steps.get(next) ?? {
        step: run.step(next),
        handOvers: new HandOvers(run, { workloads, agents }, next, rather(next)),
      };
      steps.set(next, now);
      const server = left.get(next) as OneRestart;
      await server.prepare();
      await now.handOvers.ask();
      const outcome = await server.now(async () => {
        const look = await watch.look(expected(), run.signal);
        return isFree(next, look) && now.handOvers.areOver(look.evidence);
      });
      if (outcome === 'not now') {
        await server.untilThere();
        continue;
      }
      await until((look) => {
        const why = pendingOf(look, names);
        now.step.waitsFor(why);
        return why === undefined;
      });
      run.log.settled('restart');
      tools.observer.startOver?.();
      now.step.done('restarted');
      left.delete(next);
      await one.renewal.after([server.pod]);
    }
  } finally {
    over.abort();
  }
}

/** The last ordinal first, but where the order says so the leader last of all: so leadership changes once. */
function nextOf({ evidence }: QuorumLook, left: readonly string[], order: Renewal['order']): string {
  const leading = order === 'leader-last' ? leadingServer(evidence) : undefined;
  return left.findLast((name) => name !== leading) ?? left.at(-1) ?? '';
}
