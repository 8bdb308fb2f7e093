import type { OutgoingHttpHeaders } from 'node:http';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import type { TestContext } from 'node:test';
import type { Answer } from './answer.ts';
import type { Endpoint, Request } from './endpoint.ts';
import { createPipeline, type PipelineOptions } from './pipeline.ts';
import { type HttpServer, type ServerOptions, startServer } from './server.ts';

/** A server with these endpoints on a free port of 127.0.0.1; ended with the test. */
export async function serve(
  t: TestContext,
  endpoints: readonly Endpoint[],
  options: Partial<PipelineOptions & ServerOptions> = {},
): Promise<HttpServer & { readonly ask: Ask }> {
  const server = await startServer({ ip: '127.0.0.1', port: 0, ...options });
  if (!server.ok) throw new Error(server.error);
  server.value.use(createPipeline({ delegate: 'master', endpoints, ...options }));
  t.after(() => server.value.close(0));
  return { ...server.value, ask: asker(server.value.address.port) };
}

/** What came back. */
export interface Told {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly bytes: Buffer;
  readonly body: string;
}

export type Ask = (
  method: string,
  path: string,
  headers?: OutgoingHttpHeaders,
  body?: string | Uint8Array,
) => Promise<Told>;

function asker(port: number): Ask {
  return (method, path, headers = {}, body = '') =>
    new Promise((resolve, reject) => {
      const call = httpRequest({ host: '127.0.0.1', port, method, path, headers, agent: false }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const bytes = Buffer.concat(chunks);
          resolve({ status: response.statusCode ?? 0, headers: response.headers, bytes, body: bytes.toString() });
        });
      });
      call.on('error', reject);
      call.end(body);
    });
}

/** An endpoint that says which record was reached. */
export function echo(path: string, more: Partial<Endpoint> = {}): Endpoint {
  return {
    process: 'master',
    path,
    summary: `Echoes ${path}.`,
    handle: (request): Answer => ({
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ endpoint: path, path: request.path, rest: request.rest, size: request.body.length }),
    }),
    ...more,
  };
}

/** A request with these headers and body, for what only reads them. */
export function requestWith(headers: Request['headers'], body: string | Uint8Array = ''): Request {
  return {
    method: 'POST',
    target: '/api/v1',
    path: '/master/api/v1',
    rest: '',
    search: '',
    query: new Map(),
    headers,
    body: typeof body === 'string' ? Buffer.from(body) : body,
    stream: undefined as never,
    remoteAddress: '127.0.0.1',
  };
}
