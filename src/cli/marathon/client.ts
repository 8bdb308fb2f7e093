/** Requests to Marathon's API, and its refusals as sentences. */
import { readFileSync } from 'node:fs';
import { type Exchange, fetchAnswer } from '../../sdk/exchange.ts';
import type { CommonOptions } from './options.ts';

type Connection = Pick<CommonOptions, 'marathon' | 'credentials' | 'cacert'>;

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

/**
 * @param places where the elements of a body that is a list come from
 * @throws MarathonError with what Marathon says, path by path; or that nobody answers, and where
 */
export async function ask<T>(
  options: Connection,
  method: Method,
  path: string,
  body?: unknown,
  places?: readonly string[],
): Promise<T> {
  return (await askForDeployment<T>(options, method, path, body, places)).value;
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** As `ask`, with the deployment that has begun, where the answer itself does not say it. */
export async function askForDeployment<T>(
  options: Connection,
  method: Method,
  path: string,
  body?: unknown,
  places: readonly string[] = [],
): Promise<{ readonly value: T; readonly deploymentId: string | undefined }> {
  const { marathon } = options;
  const answer = await fetchAnswer({
    ...reach(options),
    path,
    method,
    headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  }).catch((error: Error) => {
    throw new MarathonError(
      0,
      `no Marathon answers at ${marathon}: ${error.message}. Say where it is with --marathon HOST:PORT`,
    );
  });
  const text = answer.body.toString('utf8');
  if (answer.status >= 300) throw new MarathonError(answer.status, sentence(marathon, answer.status, text, places));
  const deploymentId = answer.headers['marathon-deployment-id'] as string | undefined;
  return { value: parsed<T>(marathon, answer.status, text), deploymentId };
}

/** How to reach Marathon, and as whom. @throws MarathonError when the options make no sense */
export function reach({ marathon, credentials, cacert }: Connection): Pick<Exchange, 'address' | 'tls' | 'credential'> {
  const address = addressOf(marathon);
  const [, principal = '', secret = ''] = /^([^:]*):(.*)$/s.exec(credentials ?? ':') ?? [];
  if (credentials !== undefined && principal === '')
    throw new MarathonError(0, '--credentials has to be USER:PASSWORD');
  return {
    address,
    ...(address.tls && { tls: trusting(cacert) }),
    ...(credentials !== undefined && { credential: { principal, secret } }),
  };
}

function trusting(cacert: string | undefined): { readonly ca?: string } {
  if (cacert === undefined) return {};
  try {
    return { ca: readFileSync(cacert, 'utf8') };
  } catch (error) {
    throw new MarathonError(0, `--cacert ${cacert} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

function parsed<T>(marathon: string, status: number, text: string): T {
  try {
    return (text === '' ? {} : JSON.parse(text)) as T;
  } catch {
    throw new MarathonError(status, `what answers at ${marathon} is no Marathon: ${text.slice(0, 200)}`);
  }
}

/** `host:port` or a URL. */
function addressOf(text: string): { readonly host: string; readonly port: number; readonly tls: boolean } {
  const written = text.includes('://') ? text : `http://${text}`;
  const url = URL.canParse(written) ? new URL(written) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.hostname === '') {
    throw new MarathonError(0, `--marathon ${text} is no address: write HOST:PORT, or a URL with http or https`);
  }
  const tls = url.protocol === 'https:';
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || (tls ? 8443 : 8080)), tls };
}

function sentence(marathon: string, status: number, text: string, places: readonly string[]): string {
  let refusal: Refusal;
  try {
    refusal = JSON.parse(text) as Refusal;
  } catch {
    return `what answers at ${marathon} says ${status}, and not as a Marathon does: ${text.slice(0, 500)}`;
  }
  const { message = `Marathon answers ${status}`, details, deployments } = refusal;
  if (deployments !== undefined) {
    const ids = deployments.map(({ id }) => id).join(', ');
    return `something is being changed there already, by deployment ${ids}. Wait for it (meseta deployment watch ${deployments[0]?.id}), or add --force to give it up`;
  }
  if (typeof details === 'string') return `${message}: ${details}`;
  if (details === undefined) return message;
  const lines = details.flatMap(({ path = '/', errors = [] }) =>
    sentences(errors).map((error) => `  ${placed(path, places)}: ${error}`),
  );
  return [`Marathon refuses it: ${message}`, ...lines].join('\n');
}

/** Codes are for programs: they are told only where no sentence says the same. */
function sentences(errors: readonly string[]): readonly string[] {
  const told = errors.filter((error) => !/^error\.\S+$/.test(error));
  return told.length > 0 ? told : errors;
}

/** `(0)/cmd` is the command of the first element of a list. */
function placed(path: string, places: readonly string[]): string {
  const [, index, rest] = /^\((\d+)\)(.*)$/s.exec(path) ?? [];
  const place = index === undefined ? undefined : places[Number(index)];
  return place === undefined ? path : [place, rest || '/'].join(': ');
}
