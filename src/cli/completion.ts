import { INPUT_NAMES, type InputName } from '../config/inputs.ts';
import { isBoolean, isInput, MODES, OWN_FLAGS, type OwnFlag, SHELLS, wordsOf } from './names.ts';

/** Inputs and flags that name a file. */
const FILES = /(?:-path|^kubeconfig|^restore|^file|^outputs)$/;

const FLAGS = [...INPUT_NAMES, ...Object.keys(OWN_FLAGS)] as (InputName | OwnFlag)[];
const WORDS = [...MODES, 'completion'];

/** Prints to a shell what completes names of modes, flags and values; undefined where there is no such shell. */
export function completion(shell: string): string | undefined {
  if (shell === 'bash') return bash();
  if (shell === 'zsh') return zsh();
  return shell === 'fish' ? fish() : undefined;
}

/** What may follow the flag: words, a file, anything, or nothing. */
function takes(flag: InputName | OwnFlag): readonly string[] | 'file' | 'any' | 'none' {
  if (FILES.test(flag)) return 'file';
  if (!isInput(flag)) return flag === 'set' ? INPUT_NAMES.map((name) => `${name}=`) : own(flag);
  if (isBoolean(flag)) return 'none';
  const words = wordsOf(flag);
  return words.length > 0 ? words : 'any';
}

function own(flag: OwnFlag): 'any' | 'none' {
  return 'value' in OWN_FLAGS[flag] ? 'any' : 'none';
}

/** `--tls=a` arrives as three words, since `=` breaks words. */
function bash(): string {
  const cases = FLAGS.flatMap((flag) => {
    const value = takes(flag);
    if (value === 'none') return [];
    const answer =
      value === 'file' ? '-f --' : value === 'any' ? undefined : `-W ${quoted(value.join(' '))} --`;
    return [`    --${flag}) ${answer ? `COMPREPLY=($(compgen ${answer} "$word"))` : ':'} ;;`];
  });
  return `_consul_deploy() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]}
  COMPREPLY=()
  if [ "$word" = = ]; then word=''; elif [ "$before" = = ]; then before=\${COMP_WORDS[COMP_CWORD-2]}; fi
  case $before in
${cases.join('\n')}
    completion) COMPREPLY=($(compgen -W '${SHELLS.join(' ')}' -- "$word")) ;;
    *)
      case $word in
        -*) COMPREPLY=($(compgen -W ${quoted(FLAGS.map((flag) => `--${flag}`).join(' '))} -- "$word")) ;;
        *) COMPREPLY=($(compgen -W ${quoted(WORDS.join(' '))} -- "$word")) ;;
      esac ;;
  esac
  case \${COMPREPLY[0]-} in *=) compopt -o nospace 2>/dev/null || : ;; esac
}
complete -F _consul_deploy consul-deploy
`;
}

function zsh(): string {
  const flags = FLAGS.map((flag) => {
    const value = takes(flag);
    const action =
      value === 'file'
        ? '_files'
        : typeof value === 'string'
          ? ' '
          : `(${value.join(' ').replaceAll('=', '\\=')})`;
    const name = flag === 'set' ? '*--set' : `--${flag}`;
    return value === 'none' ? `    ${quoted(name)} \\` : `    ${quoted(`${name}=:${flag}:${action}`)} \\`;
  });
  return `#compdef consul-deploy
_consul_deploy() {
  _arguments \\
${flags.join('\n')}
    ${quoted(`1:mode:(${WORDS.join(' ')})`)} \\
    ${quoted(`2: :{[[ $words[2] == completion ]] && compadd ${SHELLS.join(' ')}}`)}
}
compdef _consul_deploy consul-deploy
`;
}

function fish(): string {
  const flags = FLAGS.map((flag) => {
    const value = takes(flag);
    const option =
      value === 'none'
        ? ''
        : value === 'file'
          ? ' -rF'
          : value === 'any'
            ? ' -x'
            : ` -xa ${quoted(value.join(' '))}`;
    return `complete -c consul-deploy -l ${flag}${option}`;
  });
  return `complete -c consul-deploy -f
complete -c consul-deploy -n __fish_use_subcommand -a ${quoted(WORDS.join(' '))}
complete -c consul-deploy -n '__fish_seen_subcommand_from completion' -a ${quoted(SHELLS.join(' '))}
${flags.join('\n')}
`;
}

/** None of the words has a quote. */
function quoted(text: string): string {
  return `'${text}'`;
}
