import { kubectl } from './cluster.ts';

interface Access {
  clusters: { name: string; cluster: Record<string, unknown> & { server: string } }[];
  users: { name: string; user: Record<string, unknown> }[];
}

/** The kubeconfig in use with changes, as the one line of base64 that a secret would hold. */
export async function kubeconfig(change: (access: Access) => void): Promise<string> {
  const access = JSON.parse(
    await kubectl('config', 'view', '--raw', '--minify', '--flatten', '-o', 'json'),
  ) as Access;
  change(access);
  return Buffer.from(JSON.stringify(access)).toString('base64');
}

export function withToken(token: string) {
  return (access: Access) => {
    for (const one of access.users) one.user = { token };
  };
}
