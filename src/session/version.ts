/** As in package.json; a test keeps them equal. Not read from there, since the bundle has no such file. */
export const VERSION = '0.1.0';

/** Where the action is published, as README.md has it in `uses`. */
export const REPOSITORY = 'org/consul-deploy';
