import { main } from './main.ts';
import { post } from './post.ts';
import { savedProgress } from './runner.ts';

// One bundle for the steps of the action and for the command: another one would double what every job downloads.
// The runner gives no arguments; `command` is what bin/consul-deploy.js puts before those of a shell.
if (process.argv[2] === 'command') {
  const { command } = await import('./cli/command.ts');
  await command(process.argv.slice(3), process.env);
} else await (savedProgress(process.env) === undefined ? main : post)(process.env);
// Kept-alive connections, and a post-render command that outlived the deadline, must not hold the job.
process.exit();
