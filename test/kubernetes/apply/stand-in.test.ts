import { expect, test } from 'vitest';
import { dryRunAnew } from '../../../src/kubernetes/apply/stand-in.ts';
import { Discovery } from '../../../src/kubernetes/discovery.ts';
import { answerAggregated } from '../fake-discovery.ts';
import { connectTo, json, signal, startServer } from '../fake-server.ts';

async function dryRun(name: string) {
  const server = await startServer((call, response) => {
    if (!answerAggregated(call, response)) json(response, 200, JSON.parse(call.body));
  });
  const transport = await connectTo(server.url);
  const discovery = await Discovery.load(transport, signal());
  const service = { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace: 'consul' } };
  const { object } = await dryRunAnew({ transport, discovery }, service, signal());
  const call = server.calls.at(-1);
  return {
    object,
    asked: JSON.parse(call?.body ?? '').metadata.name as string,
    dry: call?.query.get('dryRun'),
  };
}

// https://kubernetes.io/docs/concepts/overview/working-with-objects/names/
test.each([
  ['a short name', 'consul-server'],
  ['the longest name of a Service', `${'a'.repeat(40)}-server-0`],
  ['a name with a hyphen or a dot where it is cut', `${'a'.repeat(39)}-.-server`],
  ['a name with dots, as other kinds have', `${'a.'.repeat(126)}a`],
])('%s becomes a name that is free and allowed, and comes back as it was', async (_, name) => {
  const { object, asked, dry } = await dryRun(name);
  expect(dry).toBe('All');
  expect(asked).toMatch(/^[a-z0-9]([-.a-z0-9]{0,61})-consul-deploy-dry-run$/);
  expect(asked.length).toBeLessThanOrEqual(63);
  expect(asked).not.toMatch(/[-.]\.|\.-/);
  expect(object.metadata.name).toBe(name);
});
