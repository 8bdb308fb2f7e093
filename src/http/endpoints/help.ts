import { type Answer, badRequest, html, json } from '../answer.ts';
import type { Endpoint } from '../endpoint.ts';

/**
 * `/help`, `/help/<process>`, `/help/<process>/<endpoint>`: folds over the records, of which it becomes one.
 * @param endpoints read at each request, so that it may be the array that this endpoint is added to
 */
export function helpEndpoint(endpoints: () => readonly Endpoint[]): Endpoint {
  return {
    process: 'help',
    path: '/',
    match: 'prefix',
    hidden: true,
    parameters: [{ name: 'format', description: '`json` gives all pages in one document' }],
    summary: 'Shows what the endpoints are for.',
    handle: ({ rest, query, headers }) => {
      const shown = endpoints().filter((endpoint) => !endpoint.hidden);
      if (rest === '' && query.get('format') === 'json') return json(JSON.stringify(helpDocument(shown)));
      const page = pageOf(shown, rest);
      if (page === undefined) return badRequest(`No help available for '${rest}'.\n`);
      const agent = headers['user-agent'] ?? '';
      if (agent.startsWith('curl') || agent.startsWith('HTTPie')) return markdown(page.text);
      return html(frame(page.html));
    },
  };
}

/** All pages: `{processes: [{id, endpoints: [{name, text}]}]}`, sorted. */
export function helpDocument(endpoints: readonly Endpoint[]): unknown {
  const ids = [...new Set(endpoints.map((endpoint) => endpoint.process))].sort();
  return {
    processes: ids.map((id) => ({
      id,
      endpoints: endpoints
        .filter((endpoint) => endpoint.process === id)
        .sort((a, b) => (a.path < b.path ? -1 : 1))
        .map((endpoint) => ({ name: endpoint.path, text: helpText(endpoint) })),
    })),
  };
}

/** The page of one endpoint, as upstream lays its pages out. */
export function helpText(endpoint: Endpoint): string {
  const lines = ['### USAGE ###', `>        ${fullPath(endpoint)}`, '', '### TL;DR; ###', endpoint.summary, ''];
  if (endpoint.description !== undefined || endpoint.parameters !== undefined) {
    lines.push('### DESCRIPTION ###');
    if (endpoint.description !== undefined) lines.push(endpoint.description, '');
    if (endpoint.parameters !== undefined) {
      lines.push('Query parameters:', '');
      for (const { name, description } of endpoint.parameters)
        lines.push(`>        ${`${name}=VALUE`.padEnd(20)} ${description}`);
      lines.push('');
    }
  }
  if (endpoint.methods !== undefined) lines.push('### METHODS ###', endpoint.methods.join(', '), '');
  lines.push('', '### AUTHENTICATION ###');
  if (endpoint.realm === undefined) lines.push('This endpoint does not require authentication.', '');
  else lines.push('This endpoint requires authentication iff HTTP authentication is', 'enabled.', '');
  if (endpoint.authorization !== undefined)
    lines.push('### AUTHORIZATION ###', `Asks for: ${endpoint.authorization.join(', ')}.`, '');
  return lines.join('\n');
}

function fullPath(endpoint: Endpoint): string {
  return endpoint.path === '/' ? `/${endpoint.process}` : `/${endpoint.process}${endpoint.path}`;
}

interface Page {
  readonly text: string;
  readonly html: string;
}

function pageOf(endpoints: readonly Endpoint[], rest: string): Page | undefined {
  if (rest === '') return listOf('Help', [...new Set(endpoints.map(({ process }) => `/${process}`))]);
  const [id, ...below] = rest.slice(1).split('/');
  const own = endpoints.filter((endpoint) => endpoint.process === id);
  if (own.length === 0) return undefined;
  const single = own.find((endpoint) => endpoint.path === `/${below.join('/')}`);
  if (below.length > 0 && single === undefined) return undefined;
  const others = below.length > 0 ? [] : own.filter((endpoint) => endpoint !== single);
  const list = others.length === 0 ? undefined : listOf(`/${id}`, others.map(fullPath));
  const page = single === undefined ? undefined : pageAbout(single);
  return { text: `${page?.text ?? ''}${list?.text ?? ''}`, html: `${page?.html ?? ''}${list?.html ?? ''}` };
}

function pageAbout(endpoint: Endpoint): Page {
  const text = helpText(endpoint);
  return { text, html: `<pre>${escapeHtml(text)}</pre>` };
}

function listOf(title: string, paths: readonly string[]): Page {
  const sorted = [...paths].sort();
  const items = sorted.map((path) => `<li><a href="/help${encodeURI(path)}">${escapeHtml(path)}</a></li>`);
  return {
    text: `## ${title}\n${sorted.map((path) => `> [${path}](/help${path})`).join('\n')}\n`,
    html: `<h2>${escapeHtml(title)}</h2>\n<ul>\n${items.join('\n')}\n</ul>`,
  };
}

const STYLE = `
  body { font-family: Helvetica, Arial, sans-serif; font-size: 14px; line-height: 1.6; padding: 30px; color: #222; background: #fff; }
  h2 { font-size: 20px; font-weight: 600; margin: 0 0 12px; }
  ul { list-style: none; margin: 0; padding: 0 0 0 16px; border-left: 5px solid #ddd; }
  li { margin: 2px 0; }
  a { color: #06c; text-decoration: none; }
  a:hover, a:focus { text-decoration: underline; }
  pre { font-family: Menlo, Consolas, monospace; font-size: 13px; white-space: pre-wrap; max-width: 90ch; }
  footer { margin-top: 24px; color: #666; font-size: 12px; }
  @media (prefers-color-scheme: dark) {
    body { color: #ddd; background: #181818; }
    ul { border-color: #444; }
    a { color: #6bf; }
    footer { color: #999; }
  }
`;

function frame(content: string): string {
  return (
    `<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>Help</title>\n<style>${STYLE}</style></head>\n` +
    `<body>\n${content}\n<footer><a href="/help">All processes</a>. ` +
    'The same as one document: <a href="/help?format=json">/help?format=json</a>.</footer>\n</body></html>\n'
  );
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);
}

function markdown(body: string): Answer {
  return { status: 200, headers: { 'content-type': 'text/x-markdown' }, body };
}
