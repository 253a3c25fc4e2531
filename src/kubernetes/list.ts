import type { KubernetesObject } from './object.ts';
import type { Transport } from './transport.ts';

const PAGE_SIZE = 500;

/** Every object of a collection, page by page: what is not kept by the caller takes no room. */
export async function* listAll(
  transport: Pick<Transport, 'request'>,
  path: string,
  query: Readonly<Record<string, string>>,
  signal: AbortSignal,
): AsyncGenerator<KubernetesObject> {
  let next: string | undefined;
  do {
    const { body } = await transport.request<{
      items: KubernetesObject[] | null;
      metadata?: { continue?: string };
    }>({
      method: 'GET',
      path,
      query: { ...query, limit: PAGE_SIZE, ...(next && { continue: next }) },
      signal,
    });
    yield* body.items ?? [];
    next = body.metadata?.continue;
  } while (next);
}
