const IGNORABLE = /(?![\s])[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]/gu;

/**
 * The commands that the runner would find in lines of a log, by its own rules: lines end at CR or LF; `::name` after
 * spaces, `##[name]` anywhere; the search is culture-aware, that is blind to characters nobody sees.
 * https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs
 */
export function runnerCommands(written: readonly string[]): string[] {
  return written
    .flatMap((text) => text.split(/\r\n|\r|\n/))
    .map((line) => line.replace(IGNORABLE, '').trimStart())
    .filter((line) => line.startsWith('::') || line.includes('##['));
}
