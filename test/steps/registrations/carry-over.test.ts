import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocketServer } from 'ws';
import { render } from '../../../src/manifests/render.ts';
import type { Agents } from '../../../src/session/agents.ts';
import { Workloads } from '../../../src/session/workloads.ts';
import { CarryOver } from '../../../src/steps/registrations/carry-over.ts';
import { lostWith } from '../../../src/steps/replacement/clients-survey.ts';
import { clientOf, type FakeAnswer, type FakeHandler, fakeConsul } from '../../consul/fake-consul.ts';
import type { FakeServer } from '../../kubernetes/fake-server.ts';
import { pod, statefulSet } from '../../rollout/fixture.ts';
import { deployed, startFakeApi } from '../../session/fake-api.ts';
import { startRun } from '../../session/fixture.ts';

const NAME = 'consul-client-0';
const KEY = `consul-deploy/registrations/${NAME}`;
const WEB = {
  Service: {
    ID: 'web-1',
    Service: 'web',
    Tags: [],
    Meta: {},
    Port: 80,
    Weights: { Passing: 1, Warning: 1 },
  },
  ConfigSnippets: null,
};

/** Every command in a pod writes this. */
function commandsWrite(api: FakeServer, what: { text: string }): void {
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: (all) => [...all][0] ?? false });
  api.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    sockets.handleUpgrade(request, socket, head, (command) => {
      command.send(Buffer.concat([Buffer.of(1), Buffer.from(what.text)]));
      command.send(Buffer.concat([Buffer.of(3), Buffer.from('{"status":"Success"}')]));
      command.close(1000);
    });
  });
  onTestFinished(() => sockets.close());
}

type Trouble = Awaited<ReturnType<FakeHandler>>;

/** An agent with one service, unless it was registered as a successor; and a server with a store. */
async function world() {
  const troubles: { agent: Trouble[]; server: Trouble[] } = { agent: [], server: [] };
  const values = new Map<string, string>();
  /** Told each time when something is written down. */
  const watched = { written: (): void => undefined };
  const held = new Map<string, unknown>([['web-1', WEB.Service]]);
  const files = { text: JSON.stringify(WEB) };
  const agent = await fakeConsul(({ method, path, body }): Trouble => {
    const trouble = troubles.agent.shift();
    if (trouble) return trouble;
    if (path === '/v1/agent/self') {
      return {
        body: {
          Config: { NodeName: NAME, Datacenter: 'dc1', Version: '1.22.7' },
          DebugConfig: { DataDir: '/consul/data', LeaveOnTerm: false },
          Stats: { serf_lan: {}, agent: {} },
        },
      };
    }
    if (path === '/v1/agent/services') return { body: Object.fromEntries(held) };
    if (path === '/v1/agent/checks') return { body: {} };
    if (path === '/v1/agent/leave') return 'reset';
    if (method === 'PUT' && path === '/v1/agent/service/register') {
      held.set('web-1', JSON.parse(body));
    }
    return { body: null };
  });
  const server = await fakeConsul(({ method, path, body }): Trouble => {
    const trouble = troubles.server.shift();
    if (trouble) return trouble;
    if (path.startsWith('/v1/catalog/node-services/')) {
      return { body: { Services: held.size > 0 ? [{ ID: 'web-1', Service: 'web' }] : [] } };
    }
    if (path.startsWith('/v1/health/node/')) return { body: [] };
    const key = path.slice('/v1/kv/'.length);
    if (method === 'PUT') {
      values.set(key, body);
      watched.written();
    }
    if (method === 'DELETE') values.delete(key);
    if (method !== 'GET') return { body: true };
    const value = values.get(key);
    return value === undefined ? ({ status: 404 } satisfies FakeAnswer) : { text: value };
  });
  const api = await startFakeApi();
  api.put(deployed('Pod', NAME, { uid: `uid-${NAME}` }));
  commandsWrite(api.server, files);
  const { run } = startRun();
  const workloads = new Workloads(run, render(run.config));
  const set = statefulSet({ name: 'consul-client', uid: 'clients' });
  workloads.observation.apply('StatefulSet', { type: 'upsert', uid: set.uid, object: set });
  const running = { name: 'consul', init: false, restarts: 0, running: true, started: true };
  const tell = (change: Partial<ReturnType<typeof pod>> = {}) => {
    const object = pod(NAME, { ownerUid: 'clients', containers: [running], ...change });
    workloads.observation.apply('Pod', { type: 'upsert', uid: object.uid, object });
    return object;
  };
  const [asked, servers] = [clientOf(agent, NAME), clientOf(server)];
  const carryOver = new CarryOver(run, api.cluster, { client: () => asked } as unknown as Agents, {
    nodeName: ({ name }) => name,
    current: (one) => workloads.current('client', one),
    runs: (one) => workloads.runs('client', one, 'consul'),
    container: () => 'consul',
    leaves: () => false,
    obstacles: lostWith,
    uncarried: () => new Error('not carried') as never,
  });
  return {
    ...{ run, carryOver, tell, troubles, values, held, files, watched, api, agent, workloads },
    find: async () => servers,
  };
}

const ELECTION: FakeAnswer = { status: 500, text: 'No cluster leader' };

describe('a client that is replaced', () => {
  it('is asked again when a connection breaks, and its pod goes only when all is written down', async () => {
    const { carryOver, tell, troubles, values, api, find } = await world();
    // The client itself asks once more.
    troubles.agent.push('reset', 'reset', 'reset');
    troubles.server.push(ELECTION, 'reset');
    expect(await carryOver.release(tell(), find)).toBe(true);
    expect(JSON.parse(values.get(KEY) ?? '')).toMatchObject({ services: [{ ID: 'web-1' }] });
    expect(api.writes()).toEqual([`DELETE pods/${NAME}`]);
  });

  it('leaves also when the connection ends before it says so', async () => {
    const { carryOver, tell, api, agent, find } = await world();
    expect(await carryOver.release(tell(), find)).toBe(true);
    expect(agent.requests.at(-1)?.path).toBe('/v1/agent/leave');
    expect(api.writes()).toEqual([`DELETE pods/${NAME}`]);
  });

  it('is not replaced when it is not ready, runs and cannot be written down for', async () => {
    const { carryOver, tell, api, find, troubles } = await world();
    troubles.server.push({ status: 413, text: 'too large' });
    await expect(carryOver.release(tell({ ready: false }), find)).rejects.toMatchObject({ status: 413 });
    expect(api.writes()).toEqual([]);
  });

  it('that does not run is replaced with a warning: nobody can tell what it held', async () => {
    const { run, carryOver, tell, api, find, troubles } = await world();
    troubles.agent.push('reset', 'reset');
    const ended = { name: 'consul', init: false, restarts: 3, running: false, started: false };
    expect(await carryOver.release(tell({ ready: false, containers: [ended] }), find)).toBeUndefined();
    expect(run.result().warnings.join()).toContain('did not run');
    expect(api.writes()).toEqual([`DELETE pods/${NAME}`]);
  });

  it('gives what it held to its successor, through broken connections and an election', async () => {
    const { carryOver, tell, troubles, values, held, find } = await world();
    const old = tell();
    await carryOver.release(old, find);
    held.clear();
    troubles.agent.push('reset', 'reset');
    troubles.server.push(ELECTION);
    expect(await carryOver.restore(tell({ uid: 'new' }), find)).toBe(true);
    expect([...held.keys()]).toEqual(['web-1']);
    expect([...values.keys()]).toEqual([]);
  });

  const OTHER = { ...WEB, Service: { ...WEB.Service, ID: 'api-1', Service: 'api' } };

  it('takes along also what is registered while that is written down', async () => {
    const { carryOver, tell, values, held, files, watched, find } = await world();
    watched.written = () => {
      held.set('api-1', OTHER.Service);
      files.text = `${JSON.stringify(WEB)}\n${JSON.stringify(OTHER)}`;
    };
    expect(await carryOver.release(tell(), find)).toBe(true);
    const { services } = JSON.parse(values.get(KEY) ?? '') as { services: { ID: string }[] };
    expect(services.map(({ ID }) => ID).sort()).toEqual(['api-1', 'web-1']);
  });

  it('takes nothing along that is deregistered meanwhile', async () => {
    const { carryOver, tell, values, held, watched, api, find } = await world();
    watched.written = () => held.clear();
    expect(await carryOver.release(tell(), find)).toBe(false);
    expect([...values.keys()]).toEqual([]);
    expect(api.writes()).toEqual([`DELETE pods/${NAME}`]);
  });

  it('goes also where something is registered all the time', async () => {
    const { carryOver, tell, held, watched, api, find } = await world();
    let port = 8000;
    watched.written = () => void held.set('web-1', { ...WEB.Service, Port: ++port });
    expect(await carryOver.release(tell(), find)).toBe(true);
    expect(port).toBe(8005);
    expect(api.writes()).toEqual([`DELETE pods/${NAME}`]);
  });

  it('waits for another successor when the first one has gone: what was written down stays', async () => {
    const { carryOver, tell, values, find, workloads } = await world();
    await carryOver.release(tell(), find);
    const gone = tell({ uid: 'new' });
    workloads.observation.apply('Pod', { type: 'delete', uid: 'new' });
    expect(await carryOver.restore(gone, find)).toBe(false);
    expect([...values.keys()]).toEqual([KEY]);
  });
});
