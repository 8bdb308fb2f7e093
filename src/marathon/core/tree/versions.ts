/** When a definition counts as another one. */
import { isUpgrade } from '../../definition/compare.ts';
import type { RunSpec } from '../model.ts';

/**
 * @param isRestart it is to be started anew though it is the same
 * @returns the definition with its new version, or undefined where nothing has changed
 */
export function newVersion(
  before: RunSpec | undefined,
  after: RunSpec,
  version: number,
  isRestart: boolean,
): RunSpec | undefined {
  if (before === undefined || before.kind !== after.kind) {
    return { ...after, version, versionInfo: { lastScalingAt: version, lastConfigChangeAt: version } };
  }
  const known = before.versionInfo ?? { lastScalingAt: before.version, lastConfigChangeAt: before.version };
  if (isRestart) return { ...after, version, versionInfo: { ...known, lastConfigChangeAt: version } };
  if (isUpgrade(before, after)) {
    return { ...after, version, versionInfo: { lastScalingAt: version, lastConfigChangeAt: version } };
  }
  if (before.instances !== after.instances)
    return { ...after, version, versionInfo: { ...known, lastScalingAt: version } };
  if (isSame(before, after)) return undefined;
  return { ...after, version, versionInfo: known };
}

function isSame(before: RunSpec, after: RunSpec): boolean {
  return JSON.stringify(withoutVersion(before)) === JSON.stringify(withoutVersion(after));
}

function withoutVersion({ version: _, versionInfo: __, ...rest }: RunSpec): object {
  return Object.fromEntries(Object.entries(rest).sort(([a], [b]) => (a < b ? -1 : 1)));
}
