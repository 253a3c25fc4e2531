import { main } from './main.ts';
import { post } from './post.ts';
import { savedProgress } from './runner.ts';

// One bundle for both steps: a second one would double what every job downloads.
await (savedProgress(process.env) === undefined ? main : post)(process.env);
// Kept-alive connections, and a post-render command that outlived the deadline, must not hold the job.
process.exit();
