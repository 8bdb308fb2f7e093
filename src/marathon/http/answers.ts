/** Answers of the API: JSON, and refusals in the shapes that clients know. */
import type { Answer } from '../../http/answer.ts';
import type { Request } from '../../http/endpoint.ts';
import type { Caller } from '../core/events.ts';
import { LOCKED, type Outcome, type Refusal, type Started } from '../core/outcome.ts';
import { writeInstant } from '../definition/instant.ts';
import type { Problem } from '../definition/types.ts';

const JSON_TYPE = { 'content-type': 'application/json' };

/** An answer with this value as JSON. */
export function jsonAnswer(value: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, headers: { ...JSON_TYPE, ...headers }, body: JSON.stringify(value) };
}

/** An error with its sentence. */
export function message(status: number, sentence: string): Answer {
  return jsonAnswer({ message: sentence }, status);
}

/** What a deployment that has begun is answered with. */
export function startedAnswer({ deploymentId, version }: Started, status = 200, headers = {}): Answer {
  return jsonAnswer({ version: writeInstant(version), deploymentId }, status, {
    'marathon-deployment-id': deploymentId,
    ...headers,
  });
}

/** The refusal of a change, as upstream tells it. */
export function refusalAnswer(refusal: Refusal): Answer {
  switch (refusal.kind) {
    case 'notFound':
      return message(404, refusal.message);
    case 'exists':
      return message(409, refusal.message);
    case 'locked':
      return jsonAnswer({ message: LOCKED, deployments: refusal.deployments.map((id) => ({ id })) }, 409);
    case 'invalid':
      return jsonAnswer({ message: 'Object is not valid', details: detailsOf(refusal.problems) }, 422);
    case 'malformed':
      return jsonAnswer({ message: 'Invalid JSON', details: detailsOf(refusal.problems) }, 422);
    case 'unprocessable':
      return message(422, refusal.message);
    case 'badRequest':
      return message(400, refusal.message);
    case 'tooMany':
      return message(403, refusal.message);
  }
}

/** Problems by their path. */
function detailsOf(problems: readonly Problem[]): readonly { readonly path: string; readonly errors: string[] }[] {
  const byPath = new Map<string, string[]>();
  for (const { path, error } of problems) byPath.set(path, [...(byPath.get(path) ?? []), error]);
  return [...byPath].map(([path, errors]) => ({ path, errors }));
}

/** The answer to a change that starts a deployment. */
export function outcomeAnswer(outcome: Outcome): Answer {
  if (!outcome.ok) return refusalAnswer(outcome.refusal);
  if ('started' in outcome && outcome.started) return startedAnswer(outcome.started);
  return { status: 200 };
}

/** 405 with the methods that would do. */
export function wrongMethod(...allowed: readonly string[]): Answer {
  return jsonAnswer({ message: 'Method Not Allowed', details: `Here there are ${allowed.join(', ')}` }, 405, {
    allow: allowed.join(', '),
  });
}

/** 404 for a path that means nothing. */
export function unknownUri({ path }: Pick<Request, 'path'>): Answer {
  return message(404, `URI not found: there is no ${path.replace(/^\/[^/]*/, '') || '/'}`);
}

/** Lists in lists and the like: deeper than any definition, and little enough to be walked by recursion. */
const MAX_NESTING = 500;

type Body = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly answer: Answer };

/** The body as JSON, or the answer that says what is wrong with it. */
export function bodyOf({ body, headers }: Pick<Request, 'body' | 'headers'>): Body {
  const wrong = (status: number, text: string, details: string): Body => ({
    ok: false,
    answer: jsonAnswer({ message: text, details }, status),
  });
  if (body.length === 0) {
    return wrong(400, 'Please specify data in JSON format', 'The request has no body');
  }
  const type = headers['content-type'];
  if (type !== undefined && !/^\s*(application\/json|application\/\*|\*\/\*)\s*(;|$)/i.test(type)) {
    const details = `Send the body with Content-Type: application/json, not ${type.slice(0, 100)}`;
    return wrong(415, 'Unsupported Media Type', details);
  }
  if (nestingOf(body) > MAX_NESTING) {
    return wrong(400, 'Invalid JSON', `Objects and lists may lie at most ${MAX_NESTING} deep in one another`);
  }
  try {
    return { ok: true, value: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) };
  } catch (error) {
    return wrong(400, 'Invalid JSON', (error as Error).message);
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** How deep brackets are opened; those in strings do not count. */
function nestingOf(text: Uint8Array): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let at = 0; at < text.length; at++) {
    const byte = text[at]!;
    if (inString) {
      if (byte === BACKSLASH) at++;
      else if (byte === QUOTE) inString = false;
    } else if (byte === QUOTE) {
      inString = true;
    } else if (byte === 0x5b || byte === 0x7b) {
      deepest = Math.max(deepest, ++depth);
    } else if (byte === 0x5d || byte === 0x7d) {
      depth--;
    }
  }
  return deepest;
}

export function callerOf({ remoteAddress, target }: Request): Caller {
  return { clientIp: remoteAddress, uri: target.replace(/\?.*$/, '') };
}

/** A parameter that is true or false: whatever is not `true` is false. @param fallback where it is not given */
export function flagOf(request: Request, name: string, fallback = false): boolean {
  const text = parameterOf(request, name);
  return text === undefined ? fallback : text.toLowerCase() === 'true';
}

/** A parameter that counts once: of several the first. */
export function parameterOf(request: Request, name: string): string | undefined {
  return valuesOf(request, name)[0];
}

/** All values of a parameter that may be repeated. */
export function valuesOf({ search }: Request, name: string): readonly string[] {
  return new URLSearchParams(search).getAll(name);
}
