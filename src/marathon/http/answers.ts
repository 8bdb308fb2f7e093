/** Answers of the API: JSON, and refusals in the shapes that clients know. */
import type { Answer } from '../../http/answer.ts';
import type { Request } from '../../http/endpoint.ts';
import type { Caller } from '../core/events.ts';
import type { Outcome, Refusal, Started } from '../core/outcome.ts';
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
      return jsonAnswer(
        {
          message:
            "App is locked by one or more deployments. Override with the option '?force=true'. View details at '/v2/deployments/<DEPLOYMENT_ID>'.",
          deployments: refusal.deployments.map((id) => ({ id })),
        },
        409,
      );
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

/** The body as JSON, or the answer that says what is wrong with it. */
export function bodyOf({
  body,
}: Request): { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly answer: Answer } {
  try {
    return { ok: true, value: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) };
  } catch (error) {
    return { ok: false, answer: jsonAnswer({ message: 'Invalid JSON', details: (error as Error).message }, 400) };
  }
}

export function callerOf({ remoteAddress, target }: Request): Caller {
  return { clientIp: remoteAddress, uri: target.replace(/\?.*$/, '') };
}

/** A parameter that is true or false. @param fallback where it is not given */
export function flagOf({ query }: Request, name: string, fallback = false): boolean {
  const text = query.get(name);
  return text === undefined ? fallback : text === '' || text === 'true';
}

/** All values of a parameter that may be repeated. */
export function valuesOf({ search }: Request, name: string): readonly string[] {
  return new URLSearchParams(search).getAll(name);
}
