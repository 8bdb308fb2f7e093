/** Whether the secrets that apps and pods refer to are there. Their values never come near the core. */
import type { Offer } from '../../../wire/v1.ts';
import type { Env } from '../../definition/types.ts';
import type { Context } from '../context.ts';
import { keepFailure } from '../failures.ts';
import type { Instance, RunSpec } from '../model.ts';
import { type MarathonState, specRecord } from '../state.ts';
import { noteNoMatch } from './statistics.ts';

/** From now on these can be looked up. What waited for one of them may be launched. */
export function takeSecrets({ state }: Context, names: ReadonlySet<string>): void {
  state.secrets = names;
  if (state.launching.waiting.size > 0) state.launching.hasNewWaiting = true;
}

/** @returns a sentence about the first secret that is referred to and not there, with the way out */
export function missingSecret({ secrets }: Pick<MarathonState, 'secrets'>, spec: RunSpec): string | undefined {
  if (secrets === undefined) return undefined;
  for (const { secret, use } of secretsOf(spec)) {
    const source = spec.secrets[secret]?.source ?? secret;
    if (!secrets.has(source))
      return `The secret '${source}', for the ${use}, is not in the store of secrets: put it there with 'meseta marathon secret put ${source}'`;
  }
  return undefined;
}

/** The secrets that it refers to, and what for. */
function secretsOf(spec: RunSpec): readonly { readonly secret: string; readonly use: string }[] {
  const variables = environmentsOf(spec).flatMap((env) =>
    Object.entries(env).flatMap(([variable, value]) =>
      typeof value === 'string' ? [] : [{ secret: value.secret, use: `variable ${variable}` }],
    ),
  );
  const files =
    spec.kind === 'app'
      ? (spec.container?.volumes ?? []).flatMap((volume) =>
          volume.kind === 'secret' ? [{ secret: volume.secret, use: `file ${volume.containerPath}` }] : [],
        )
      : spec.volumes.flatMap((volume) =>
          volume.kind === 'secret' ? [{ secret: volume.secret, use: `volume ${volume.name}` }] : [],
        );
  return [...variables, ...files];
}

function environmentsOf(spec: RunSpec): readonly Env[] {
  return spec.kind === 'app' ? [spec.env] : [spec.env, ...spec.containers.map(({ env }) => env)];
}

/** Nothing is launched without its secrets: it waits, and says what for. */
export function noteMissingSecret(ctx: Context, instance: Instance, sentence: string, offer: Offer): void {
  noteNoMatch(ctx, instance.specId, offer, { kind: 'none', reasons: [], details: [sentence] });
  const known = specRecord(ctx.state, instance.specId).lastFailure;
  if (known?.message === sentence && known.version === instance.spec.version) return;
  keepFailure(ctx, instance, instance.id, 'TASK_ERROR', sentence);
}
