import type { Config } from '../../config/config.ts';
import { serverNames } from '../name.ts';
import { serviceVariable } from '../service-variable.ts';
import { REFUSED } from './ask.ts';

/**
 * So long the pod's network outlives a server, in seconds. A leader that is refused tries again 1.3, 2.6 and 5.1 s after
 * the agent's end, or up to half a second later on a busy machine (each wait is twice the last:
 * https://github.com/hashicorp/raft/blob/v1.7.3/replication.go). The network ends 0.2 to 0.4 s after the last process, and
 * the Service leads there for up to half a second more. So that time falls between the first try and the second. With 2.1 s
 * it met the second, and two of three servers came back 10 s late.
 */
const LINGER_SECONDS = 1.7;
/** Between two looks whether another server is there. */
const LOOK_SECONDS = 0.2;

/**
 * Shell: `linger` keeps the network of a pod whose server has ended. The server's Service leads to the pod a little longer
 * than the pod lives; while the network is there, whoever dials the server is refused at once. Without it a dial of the
 * leader goes into the void, and Raft waits its 10 s. Where every other server refuses as well, nobody is left who would
 * dial, and all of them come back sooner. It asks by `server` of `askServer`.
 */
export function lingerScript(config: Config): string {
  const others = serverNames(config).map(
    (name) => `  [ "$POD_NAME" = ${name} ] || refuses "$${serviceVariable(name)}" || return 1`,
  );
  return `
refuses() {
  server "$1" status/leader -m 1 -o /dev/null
  [ $? = ${REFUSED} ]
}
alone() {
${others.join('\n')}
}
linger() {
  sleep ${LINGER_SECONDS} &
  rest=$!
  (while kill -0 "$rest"; do if alone; then kill "$rest"; fi; sleep ${LOOK_SECONDS}; done) >/dev/null 2>&1 &
  while kill -0 "$rest" 2>/dev/null; do wait "$rest" 2>/dev/null; done
}`.trim();
}
