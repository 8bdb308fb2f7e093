/** From JSON to an app: the fields first, then the old spellings, then the rules for the whole. */
import { err, ok, type Result } from '../../base/result.ts';
import { type AppChange, type AppDocument, appChangeKind, appKind } from './app-fields.ts';
import { appDocument, appOf, type Stamp } from './app-form.ts';
import { completeApp, finishApp, namedNetworks, networkedContainer, withPortIndex } from './app-normal.ts';
import { APP_RULES } from './app-rules.ts';
import { isObject } from './kind.ts';
import { appWithoutLegacy, changeWithoutLegacy, LEGACY_RULES } from './legacy.ts';
import { canonicalPath } from './path-id.ts';
import { applyRules, broken, type RuleFacts } from './rule.ts';
import { usualRole } from './scheduling-rules.ts';
import type { App, DefinitionContext, Problem, Refused } from './types.ts';

/** What was said of an app that is there, or is to be. In new spellings; what was not said is absent. */
export type AppUpdate = AppChange;

interface Reading {
  readonly value: unknown;
  /** The group that relative ids are looked up in. */
  readonly base?: string;
}

/** @returns the fields of one app, with absolute ids */
export function readAppDocument({ value, base = '/' }: Reading): Result<AppDocument, Refused> {
  const problems: Problem[] = [];
  const document = appKind.read(value, '', problems);
  if (document === undefined) return err({ kind: 'schema', problems });
  return ok({
    ...document,
    id: canonicalPath(document.id, base),
    dependencies: document.dependencies.map((id) => canonicalPath(id, base)),
  });
}

/** Everything after the fields. @param version of the app that comes out */
export function completeAppDocument(document: AppDocument, facts: RuleFacts, stamp: Stamp): Result<App, Refused> {
  const old = applyRules(LEGACY_RULES, document, facts);
  if (old.length > 0) return err({ kind: 'rules', problems: old });
  const modern = appWithoutLegacy(document, facts.context);
  if (!modern.ok) return err({ kind: 'normalization', message: modern.error });
  const complete = completeApp(modern.value, usualRole(facts.roles));
  const problems = applyRules(APP_RULES, complete, facts);
  if (problems.length > 0) return err({ kind: 'rules', problems });
  const finished = finishApp(complete, facts.context);
  return finished.ok ? ok(appOf(finished.value, stamp)) : err({ kind: 'normalization', message: finished.error });
}

/**
 * An app that is to be created.
 * @param now its version
 */
export function readApp(value: unknown, facts: RuleFacts, now: number): Result<App, Refused> {
  const document = readAppDocument({ value });
  return document.ok ? completeAppDocument(document.value, facts, { version: now }) : document;
}

/**
 * An app that is new, or takes the place of another as a whole, under the id that the request names. The version of its
 * document counts for nothing: whoever sends back what was read need not take it out.
 */
export function readWholeApp(value: unknown, id: string, facts: RuleFacts, stamp: Stamp): Result<App, Refused> {
  const document = readAppDocument({ value: isObject(value) ? { ...value, id } : value });
  return document.ok ? completeAppDocument(document.value, facts, stamp) : document;
}

/** Whether a document asks for an earlier version, and for nothing else. */
export function isRollback(value: unknown): boolean {
  return (
    isObject(value) && value.version != null && Object.keys(value).every((key) => key === 'id' || key === 'version')
  );
}

/** What a PUT or PATCH changes of an app that is there. `id` is only there if it was given. */
export function readAppUpdate(value: unknown, context: DefinitionContext): Result<AppUpdate, Refused> {
  const problems: Problem[] = [];
  const change = appChangeKind.read(value, '', problems);
  if (change === undefined) return err({ kind: 'schema', problems });
  const modern = changeWithoutLegacy(change, context);
  if (!modern.ok) return err({ kind: 'normalization', message: modern.error });
  const update = modern.value;
  const others = Object.keys(update).filter((name) => name !== 'id' && name !== 'version');
  if (update.version !== undefined && others.length > 0) {
    const error = `The 'version' field may only be combined with the 'id' field, not with ${others.join(', ')}.`;
    return err({ kind: 'rules', problems: broken('/', error) });
  }
  return completeUpdate(update, context);
}

function completeUpdate(update: AppUpdate, context: DefinitionContext): Result<AppUpdate, Refused> {
  const networks = update.networks && namedNetworks(update.networks, context);
  if (networks?.ok === false) return err({ kind: 'normalization', message: networks.error });
  const container = networkedContainer(update.container, networks?.value ?? []);
  return ok({
    ...update,
    ...(update.id !== undefined && { id: canonicalPath(update.id) }),
    ...(update.dependencies && { dependencies: update.dependencies.map((id) => canonicalPath(id)) }),
    ...(update.healthChecks && { healthChecks: update.healthChecks.map(withPortIndex) }),
    ...(networks && { networks: networks.value }),
    ...(container && { container }),
  });
}

/** The app that an update makes of the one that is there. An update with `version` is a rollback, and not for here. */
export function applyAppUpdate(update: AppUpdate, current: App, facts: RuleFacts): Result<App, Refused> {
  const { version, versionInfo } = current;
  const document: AppDocument = {
    ...appDocument(current),
    ...update,
    id: current.id,
    // Upstream never keeps these two: an update that does not say them drops them.
    executorResources: update.executorResources,
    resourceLimits: update.resourceLimits,
  };
  return completeAppDocument(document, facts, { version, versionInfo });
}
