/** How long tasks of an app live, by how they relate to its last changes. */

import { isActive } from '../core/condition.ts';
import type { App, Instance } from '../core/model.ts';

/** @param now in ms since the epoch */
export function taskStats(app: App, instances: readonly Instance[], now: number): object {
  const { lastScalingAt, lastConfigChangeAt } = app.versionInfo ?? {
    lastScalingAt: app.version,
    lastConfigChangeAt: app.version,
  };
  const placed = instances.filter(({ tasks }) => tasks.length > 0);
  return {
    ...group(
      'startedAfterLastScaling',
      placed.filter(({ spec }) => spec.version >= lastScalingAt),
      now,
    ),
    ...group(
      'withLatestConfig',
      placed.filter(({ spec }) => spec.version >= lastConfigChangeAt),
      now,
    ),
    ...group(
      'withOutdatedConfig',
      placed.filter(({ spec }) => spec.version < lastConfigChangeAt),
      now,
    ),
    ...group('totalSummary', placed, now),
  };
}

function group(name: string, instances: readonly Instance[], now: number): object {
  if (instances.length === 0) return {};
  const lifeTimes = instances
    .flatMap(({ tasks }) => tasks)
    .flatMap(({ startedAt, condition }) =>
      startedAt !== undefined && isActive(condition) ? (now - startedAt) / 1000 : [],
    )
    .sort((a, b) => a - b);
  const lifeTime = {
    averageSeconds: lifeTimes.reduce((sum, each) => sum + each, 0) / lifeTimes.length,
    medianSeconds: lifeTimes[Math.floor(lifeTimes.length / 2)],
  };
  const stats = { counts: counts(instances), ...(lifeTimes.length > 0 && { lifeTime }) };
  return { [name]: { stats } };
}

function counts(instances: readonly Instance[]): object {
  const count = (matches: (instance: Instance) => boolean): number => instances.filter(matches).length;
  return {
    staged: count(({ condition }) => condition === 'Staging' || condition === 'Starting'),
    running: count(({ condition }) => condition === 'Running'),
    healthy: count(({ healthy }) => healthy === true),
    unhealthy: count(({ healthy }) => healthy === false),
  };
}
