import type { Config } from '../../config/config.ts';
import { CONFIG_DIRECTORY } from '../name.ts';
import { TLS_FILES } from '../tls.ts';

/** What a test sets to other values; a deployed agent has these. */
export interface AskSettings {
  httpPort: number;
  httpsPort: number;
  configDirectory: string;
}

export const ASK_SETTINGS: AskSettings = {
  httpPort: 8500,
  httpsPort: 8501,
  configDirectory: CONFIG_DIRECTORY,
};

/** curl could not connect: nothing listens there. */
const REFUSED = 7;

/**
 * Shell: `server ADDRESS PATH OPTIONS…` asks another server. Where agents serve HTTPS alone, by the name that every server has
 * in its certificate; one that does not do so yet, or any more, is asked in plaintext, since a change comes to one server
 * after the other.
 */
export function askServer(config: Config, settings: AskSettings = ASK_SETTINGS): string {
  const { httpPort, httpsPort, configDirectory } = settings;
  const plain = `curl -gs "$@" "http://$at:${httpPort}/v1/$path"`;
  const name = `server.${config.datacenter}.${config.domain}`;
  const files = `--cacert ${configDirectory}/${TLS_FILES.authorities} --resolve "${name}:${httpsPort}:$at"`;
  const secure = `curl -gs "$@" ${files} "https://${name}:${httpsPort}/v1/$path"`;
  return `
server() {
  case "$1" in *:*) at="[$1]" ;; *) at=$1 ;; esac
  path=$2
  shift 2
  ${config.https === 'only' ? `${secure}\n  said=$?\n  [ "$said" = ${REFUSED} ] || return "$said"\n  ` : ''}${plain}
}`.trim();
}
