/** A Marathon as a process of its own, and what its API answers. */
import { type Running, start } from './cluster.fixture.ts';
import { until } from './daemons.fixture.ts';

export interface Reply<T> {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Undefined where the answer is no JSON. */
  readonly body: T;
}

/** Asks `host:port`. Redirects are not followed. */
export async function api<T = Record<string, unknown>>(
  address: string,
  method: string,
  path: string,
  body?: unknown,
): Promise<Reply<T>> {
  const answer = await fetch(`http://${address}${path}`, {
    method,
    redirect: 'manual',
    ...(body !== undefined && { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }),
  });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, text, body: parsed(text) as T };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Starts one with these flags on top of its address; it may not answer yet. */
export function startMarathon(port: number, ...flags: string[]): Running {
  return start('bin/marathon', [
    '--http_address=127.0.0.1',
    `--http_port=${port}`,
    '--hostname=127.0.0.1',
    '--min_revive_offers_interval=200',
    ...flags,
  ]);
}

/** Waits until it leads and has registered with a master. */
export async function untilRegistered(marathon: string): Promise<void> {
  await until('Marathon is registered', async () => {
    const reply = await api<{ readonly frameworkId?: string | null }>(marathon, 'GET', '/v2/info').catch(
      () => undefined,
    );
    return typeof reply?.body?.frameworkId === 'string';
  });
}

/** Waits until no deployment is under way. */
export async function untilQuiet(marathon: string): Promise<void> {
  await until('all deployments are over', async () => {
    const { body } = await api<readonly unknown[]>(marathon, 'GET', '/v2/deployments');
    return body.length === 0;
  });
}
