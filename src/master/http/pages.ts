import { type Answer, failure, inPieces, notFound, redirect } from '../../http/answer.ts';
import type { Endpoint, Request } from '../../http/endpoint.ts';
import type { MasterInfo } from '../../wire/v1.ts';
import type { Agent, MasterState } from '../core/state.ts';
import { stretchesOf } from '../views/kept.ts';
import type { Parts } from '../views/parts.ts';
import type { Program } from '../views/state.ts';
import { keyOf } from './answers.ts';
import { type MasterService, PROCESS } from './service.ts';

/** What a master answers that knows no leader, to everything that only the leader can answer. */
export const noLeader = failure(503, 'No leader elected');

/** What it answers while it leads but has not read the registry yet. */
export const notRecovered = failure(503, 'Master has not finished recovery');

/** What it answers while another master leads: the same path there. The address has no scheme: the client keeps its own. */
export function toLeader(leader: MasterInfo | undefined, { path, search }: Pick<Request, 'path' | 'search'>): Answer {
  if (leader === undefined) return noLeader;
  // A path is decoded: what ends one in a URL is part of a name here.
  const encoded = encodeURI(path).replace(/[?#]/g, encodeURIComponent);
  return redirect(`//${hostOf(leader)}${encoded}${search}`);
}

function hostOf({ hostname, address, port }: MasterInfo): string {
  const host = hostname ?? address?.hostname ?? address?.ip ?? '';
  return `${host.includes(':') ? `[${host}]` : host}:${address?.port ?? port ?? 5050}`;
}

/** `/redirect`: to the leader, wherever that is. The address has no scheme, so the client keeps its own. */
export function redirectEndpoint(service: MasterService): Endpoint {
  return {
    process: PROCESS,
    path: '/redirect',
    summary: 'Redirects to the leading Master.',
    description: 'Answers 307 with the address of the leader, and 503 where no leader is known.',
    handle: ({ rest, target }) => {
      const leader = service.state?.info ?? service.leader;
      if (leader === undefined) return noLeader;
      if (rest !== '' || /^[^?#]*\/(?:[?#]|$)/.test(target)) return notFound();
      return redirect(`//${hostOf(leader)}`);
    },
  };
}

/** `/`: the cluster at a glance, and where to read on. */
export function frontPageEndpoint(service: MasterService, endpoints: () => readonly Endpoint[]): Endpoint {
  return {
    process: PROCESS,
    path: '/',
    aliases: ['/index.html'],
    hidden: true,
    summary: 'Shows the cluster at a glance.',
    handle: async (request) => {
      const { state, program, answers } = service;
      const compose = (): Parts => frontPage(program, endpoints(), state && clusterShown(state));
      return inPieces('text/html', await answers.get(keyOf(request), compose));
    },
  };
}

function* frontPage({ flags }: Program, endpoints: readonly Endpoint[], cluster: Cluster | undefined): Parts {
  const paths = endpoints.filter(({ process, hidden }) => process === PROCESS && !hidden).map(({ path }) => path);
  const links = paths.sort().map((path) => `<li><a href="${path}">${escapeHtml(path)}</a></li>`);
  yield '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>Mesos</title>' +
    '<meta name="viewport" content="width=device-width, initial-scale=1">' +
    `<style>${STYLE}</style></head><body>\n` +
    `<h1>Mesos${flags.cluster === undefined ? '' : ` – ${escapeHtml(flags.cluster)}`}</h1>\n`;
  if (cluster === undefined) yield '<p>No master is known to lead.</p>';
  else yield* agentsTable(cluster);
  yield `\n<h2>Endpoints</h2>\n<ul>${links.join('')}</ul>\n<p><a href="/help">What they are for</a></p>\n</body></html>\n`;
}

/** What the page shows of the cluster, as of one instant. */
interface Cluster {
  readonly agents: readonly Row[];
  readonly frameworks: number;
  readonly tasks: number;
}

interface Row extends Pick<Agent, 'id' | 'total' | 'used'> {
  readonly hostname: string;
  readonly status: string;
}

function clusterShown({ agents, frameworks }: MasterState): Cluster {
  let tasks = 0;
  for (const framework of frameworks.values()) tasks += framework.tasks.size;
  return { agents: Array.from(agents.values(), rowOf), frameworks: frameworks.size, tasks };
}

function rowOf({ id, info, active, connected, total, used }: Agent): Row {
  const status = active ? 'active' : connected ? 'deactivated' : 'disconnected';
  return { id, hostname: info.hostname, status, total, used };
}

function* agentsTable({ agents, frameworks, tasks }: Cluster): Parts {
  yield `<p>${agents.length} agents, ${frameworks} frameworks, ${tasks} tasks.</p>\n` +
    '<table><thead><tr><th>Agent</th><th>Host</th><th>State</th><th>Resources</th><th>Used</th></tr></thead><tbody>';
  for (const some of stretchesOf(agents)) yield some.map(rowText).join('');
  yield '</tbody></table>';
}

function rowText({ id, hostname, status, total, used }: Row): string {
  const cells = [id, hostname, status, total.toString(), used.toString()];
  return `<tr>${cells.map((cell) => `<td>${escapeHtml(cell)}</td>`).join('')}</tr>`;
}

const STYLE =
  'body{font:15px/1.5 system-ui,sans-serif;margin:2rem;max-width:70rem;color-scheme:light dark}' +
  'table{border-collapse:collapse}td,th{text-align:left;padding:.2rem 1rem .2rem 0;vertical-align:top}' +
  'ul{columns:3;padding-left:1rem}';

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);
}
