import { createReadStream, existsSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';

/** Under this name the nodes of the test bed look for it (testbed/node/init). */
export const REGISTRY = 'registry.test';
const PORT = 5000;
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

export interface Registry {
  /** Asked for manifests so far, by tag. */
  asked: Map<string, number>;
  /** So many requests for manifests of this repository are answered with 503 first. */
  stumble: (repository: string, times: number) => void;
  /** An image from the folder of an OCI layout. */
  serve: (repository: string, layout: string) => void;
  close: () => Promise<void>;
}

/**
 * A registry over real HTTP (https://github.com/opencontainers/distribution-spec/blob/main/spec.md) that can be
 * made to misbehave: `private/…` wants credentials, what is not served is not there.
 */
export async function startRegistry(address: string): Promise<Registry> {
  const layouts = new Map<string, string>();
  const stumbles = new Map<string, number>();
  const asked = new Map<string, number>();

  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const found = /^\/v2\/(.+)\/(manifests|blobs)\/([^/?]+)/.exec(request.url ?? '');
    const [, repository = '', kind = '', reference = ''] = found ?? [];
    if (!found) return void response.writeHead(request.url?.startsWith('/v2') ? 200 : 404).end();
    if (kind === 'manifests') asked.set(reference, (asked.get(reference) ?? 0) + 1);
    if (repository.startsWith('private/')) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="registry.test"' });
      return void response.end(errors('UNAUTHORIZED', 'authentication required'));
    }
    const left = stumbles.get(repository) ?? 0;
    if (kind === 'manifests' && left > 0) {
      stumbles.set(repository, left - 1);
      return void response.writeHead(503).end('try again later');
    }
    const layout = layouts.get(repository);
    const digest =
      kind === 'blobs' || reference.startsWith('sha256:') ? reference : layout && manifestOf(layout);
    const file = layout && digest && join(layout, 'blobs', digest.replace(':', '/'));
    if (!file || !existsSync(file)) {
      response.writeHead(404, { 'content-type': 'application/json' });
      return void response.end(errors('MANIFEST_UNKNOWN', 'manifest unknown'));
    }
    const type = kind === 'manifests' ? MANIFEST : 'application/octet-stream';
    response.writeHead(200, { 'content-type': type, 'docker-content-digest': digest });
    if (request.method === 'HEAD') return void response.end();
    createReadStream(file).pipe(response);
  };
  const server: Server = createServer(answer);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(PORT, address, resolve);
  });
  return {
    asked,
    stumble: (repository, times) => void stumbles.set(repository, times),
    serve: (repository, layout) => void layouts.set(repository, layout),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function errors(code: string, message: string): string {
  return JSON.stringify({ errors: [{ code, message }] });
}

function manifestOf(layout: string): string | undefined {
  const index = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8')) as {
    manifests: { digest: string }[];
  };
  return index.manifests[0]?.digest;
}
