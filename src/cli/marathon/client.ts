/** Requests to Marathon's API, and its refusals as sentences. */
import { fetchAnswer } from '../../sdk/exchange.ts';
import type { CommonOptions } from './options.ts';

/** Marathon said no, or nobody answered. */
export class MarathonError extends Error {
  readonly status: number;

  constructor(status: number, text: string) {
    super(text);
    this.status = status;
  }
}

interface Refusal {
  readonly message?: string;
  readonly details?: string | readonly { readonly path?: string; readonly errors?: readonly string[] }[];
  readonly deployments?: readonly { readonly id: string }[];
}

/** @throws MarathonError with what Marathon says, path by path; or that nobody answers, and where */
export async function ask<T>(
  { marathon, credentials }: Pick<CommonOptions, 'marathon' | 'credentials'>,
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
  path: string,
  body?: unknown,
): Promise<T> {
  const address = addressOf(marathon);
  const [principal = '', secret = ''] = credentials?.split(':') ?? [];
  const answer = await fetchAnswer({
    address,
    path,
    method,
    headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    ...(credentials !== undefined && { credential: { principal, secret } }),
  }).catch((error: Error) => {
    throw new MarathonError(
      0,
      `no Marathon answers at ${marathon}: ${error.message}. Say where it is with --marathon HOST:PORT`,
    );
  });
  const text = answer.body.toString('utf8');
  if (answer.status >= 300) throw new MarathonError(answer.status, sentence(answer.status, text));
  return (text === '' ? {} : JSON.parse(text)) as T;
}

function addressOf(text: string): { readonly host: string; readonly port: number } {
  const url = URL.canParse(text) && text.includes('://') ? new URL(text) : new URL(`http://${text}`);
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || 8080) };
}

function sentence(status: number, text: string): string {
  let refusal: Refusal;
  try {
    refusal = JSON.parse(text) as Refusal;
  } catch {
    return `Marathon answers ${status}: ${text.slice(0, 500)}`;
  }
  const { message = `Marathon answers ${status}`, details, deployments } = refusal;
  if (deployments !== undefined) {
    const ids = deployments.map(({ id }) => id).join(', ');
    return `something is being changed there already, by deployment ${ids}. Wait for it (meseta deployment watch ${deployments[0]?.id}), or add --force to give it up`;
  }
  if (typeof details === 'string') return `${message}: ${details}`;
  const lines = (details ?? []).flatMap(({ path = '/', errors = [] }) => errors.map((error) => `  ${path}: ${error}`));
  return [message, ...lines].join('\n');
}
