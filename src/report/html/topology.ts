import { count } from '../../count.ts';
import type { ServerSeen, Topology } from '../result/topology.ts';
import type { Result } from '../result.ts';
import { line, type Markup, markup } from './markup.ts';
import type { Part } from './part.ts';

/** More nodes are counted only. */
const MOST_NODES = 24;
/** Squares beside each other, and altogether. */
const [PER_ROW, MOST_SQUARES] = [16, 48];
const WIDTH = 260;

interface NodeView {
  name: string | undefined;
  servers: ServerSeen[];
  clients: number;
  ready: number;
}

/** Servers with their part in Raft, and clients, by the node they are on: a picture for each node. */
export function topology({ topology: seen }: Result): Part[] {
  if (!seen || (seen.servers.length === 0 && seen.nodes.length === 0)) return [];
  const nodes = nodesOf(seen);
  const shown = nodes.slice(0, MOST_NODES);
  const left = nodes.slice(MOST_NODES);
  const rest = {
    nodes: left.length + (seen.rest?.nodes ?? 0),
    clients: total(left, 'clients') + (seen.rest?.clients ?? 0),
    ready: total(left, 'ready') + (seen.rest?.ready ?? 0),
  };
  const more =
    rest.nodes > 0 &&
    markup`<p class="rest">And ${count(rest.nodes, 'more node')} with ${count(rest.clients, 'client')}, ${rest.ready} of them ready.</p>\n`;
  return [
    {
      id: 'topology',
      title: 'Topology',
      head: markup`<p class="lead">${sentence(seen)}</p>\n<ul class="nodes">\n`,
      rows: shown.map(picture),
      tail: markup`</ul>\n${more}${legend()}`,
      noun: 'nodes are',
      rank: 1,
    },
  ];
}

/** Those with servers first, in the order of the servers. */
function nodesOf({ servers, nodes, unscheduled = 0 }: Topology): NodeView[] {
  const views = new Map<string | undefined, NodeView>();
  const at = (name: string | undefined) => {
    const view = views.get(name) ?? { name, servers: [], clients: 0, ready: 0 };
    views.set(name, view);
    return view;
  };
  for (const server of servers) at(server.node).servers.push(server);
  for (const { node, clients, ready } of nodes) Object.assign(at(node), { clients, ready });
  if (unscheduled > 0) at(undefined).clients = unscheduled;
  return [...views.values()];
}

function total(nodes: readonly NodeView[], what: 'clients' | 'ready'): number {
  return nodes.reduce((sum, node) => sum + node[what], 0);
}

/** The whole picture in words. */
function sentence({ servers, nodes, rest, unscheduled = 0 }: Topology): string {
  const having = (part: ServerSeen['raft']) => servers.filter(({ raft }) => raft === part);
  const leaders = having('leader').map(({ name }) => line(name, 120));
  const votes = having('leader').length + having('voter').length;
  const clients = nodes.reduce((sum, one) => sum + one.clients, 0) + (rest?.clients ?? 0) + unscheduled;
  const leader =
    leaders.length > 0
      ? `${leaders.join(' and ')} ${leaders.length > 1 ? 'lead' : 'leads'}`
      : 'no leader was seen';
  const parts = [
    `${count(servers.length, 'server')}, ${votes} of them ${votes === 1 ? 'a voter' : 'voters'}`,
    leader,
  ];
  if (clients > 0)
    parts.push(`${count(clients, 'client')} on ${count(nodes.length + (rest?.nodes ?? 0), 'node')}`);
  return `${parts.join('; ')}.`;
}

const STATE: Record<ServerSeen['state'], string> = {
  ready: 'ready',
  unready: 'not ready',
  missing: 'no pod',
};

function part({ raft, state }: ServerSeen): string {
  const role = { leader: 'leader', voter: 'voter', 'non-voter': 'no voter', none: 'server' }[raft ?? 'none'];
  return `${role}, ${STATE[state]}`;
}

/** Its own size in every card, so that its words stay readable on a phone. */
function picture({ name, servers, clients, ready }: NodeView, index: number): Markup {
  const title = name === undefined ? 'On no node yet' : line(name, 120);
  const squares = Math.min(clients, MOST_SQUARES);
  const top = 34 + servers.length * 40;
  const rows = Math.ceil(squares / PER_ROW);
  const height = top + (clients > 0 ? 26 + rows * 15 : 0) + 4;
  const told = `${ready} of ${count(clients, 'client')} ready`;
  const words = [
    ...servers.map((server) => `${line(server.name, 120)}: ${part(server)}`),
    ...(clients > 0 ? [told] : []),
  ].join('. ');
  return markup`<li><svg role="img" aria-labelledby="node-${index} node-${index}-words" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}"><title id="node-${index}">${title}</title><desc id="node-${index}-words">${words}.</desc>
<text class="node" x="0" y="15">${middle(title, 30)}</text>${servers.map((server, at) => serverShape(server, 34 + at * 40))}${clients > 0 && clientShapes({ clients, ready, squares, told, top })}</svg></li>`;
}

const STAR = 'M0-6.4l1.9 4 4.4.5-3.3 3 .9 4.3L0 3.3l-3.9 2.1.9-4.3-3.3-3 4.4-.5z';

function serverShape(server: ServerSeen, y: number): Markup {
  const { raft = 'none', state, name } = server;
  const inner = {
    leader: markup`<path class="glyph" d="${STAR}"/>`,
    voter: markup`<circle class="glyph" r="4"/>`,
    'non-voter': markup`<circle class="hollow" r="4"/>`,
    none: markup`<text class="unknown" y="4">?</text>`,
  }[raft];
  return markup`<g class="server ${raft} ${state}"><g transform="translate(14 ${y + 14})"><circle class="body" r="13"/>${inner}</g><text x="38" y="${y + 11}" class="name">${middle(line(name, 120), 26)}</text><text x="38" y="${y + 27}" class="part">${part(server)}</text></g>`;
}

interface Squares {
  clients: number;
  ready: number;
  squares: number;
  told: string;
  top: number;
}

function clientShapes({ clients, ready, squares, told, top }: Squares): Markup {
  // Those that are not ready come last, and are not hidden behind the others.
  const unready = Math.min(clients - ready, squares);
  const shapes = Array.from({ length: squares }, (_, at) => {
    const [x, y] = [(at % PER_ROW) * 16, top + 24 + Math.floor(at / PER_ROW) * 15];
    return at < squares - unready
      ? markup`<rect class="client" x="${x}" y="${y}" width="11" height="11" rx="2"/>`
      : markup`<path class="client unready" d="M${x + 1} ${y + 1}h9v9h-9zl9 9m0-9l-9 9"/>`;
  });
  const more = clients > squares ? `, ${squares} drawn` : '';
  return markup`<text class="part" x="0" y="${top + 12}">${told}${more}</text>${shapes}`;
}

function legend(): Markup {
  const entry = (shape: Markup, words: string) =>
    markup`<li><svg width="28" height="28" viewBox="-14 -14 28 28" aria-hidden="true">${shape}</svg>${words}</li>`;
  const server = (raft: string, inner: Markup) =>
    markup`<g class="server ${raft} ready"><circle class="body" r="11"/>${inner}</g>`;
  return markup`<ul class="legend">${[
    entry(server('leader', markup`<path class="glyph" d="${STAR}"/>`), 'leader'),
    entry(server('voter', markup`<circle class="glyph" r="4"/>`), 'voter'),
    entry(server('non-voter', markup`<circle class="hollow" r="4"/>`), 'no voter'),
    entry(markup`<g class="server unready"><circle class="body" r="11"/></g>`, 'server, not ready'),
    entry(markup`<rect class="client" x="-6" y="-6" width="12" height="12" rx="2"/>`, 'client, ready'),
    entry(markup`<path class="client unready" d="M-5-5h10v10h-10zl10 10m0-10l-10 10"/>`, 'client, not ready'),
  ]}</ul>\n`;
}

/** Cut in its middle: what tells names apart is often at their end. */
function middle(text: string, most: number): string {
  if (text.length <= most) return text;
  const half = Math.floor((most - 1) / 2);
  return `${text.slice(0, most - 1 - half)}…${text.slice(-half)}`.toWellFormed();
}
