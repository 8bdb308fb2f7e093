/** Groups as the API shows them. */
import type { Group } from '../core/model.ts';
import type { MarathonState } from '../core/state.ts';
import { segmentsOf } from '../core/tree/groups.ts';
import { writeInstant } from '../definition/instant.ts';
import { type AppEmbed, appInfo } from './app-info.ts';
import { podStatus } from './pod-status.ts';

export type GroupEmbed = 'groups' | 'apps' | 'pods';

/** What of a group's members is shown: all of it, unless something is named. */
export function groupEmbeds(values: readonly string[]): ReadonlySet<GroupEmbed> {
  if (values.length === 0) return new Set(['groups', 'apps', 'pods']);
  const embeds = new Set<GroupEmbed>();
  for (const value of values) {
    if (value === 'group.groups') embeds.add('groups');
    if (value.startsWith('group.apps')) embeds.add('apps');
    if (value.startsWith('group.pods')) embeds.add('pods');
  }
  return embeds;
}

/** @param now wall clock, in ms */
export function groupInfo(
  state: MarathonState,
  group: Group,
  embeds: ReadonlySet<GroupEmbed>,
  ofApps: ReadonlySet<AppEmbed>,
  now: number,
): object {
  const isTopLevel = segmentsOf(group.id).length === 1;
  return {
    id: group.id,
    dependencies: group.dependencies,
    version: writeInstant(group.version),
    ...(embeds.has('apps') && { apps: [...group.apps.values()].map((app) => appInfo(state, app, ofApps, now)) }),
    ...(embeds.has('pods') && { pods: [...group.pods.values()].map((pod) => podStatus(state, pod, now)) }),
    ...(embeds.has('groups') && {
      groups: [...group.groups.values()].map((child) => groupInfo(state, child, embeds, ofApps, now)),
    }),
    ...(isTopLevel && { enforceRole: group.enforceRole }),
  };
}
