import { Resources } from '../../../resources/resources.ts';
import type { Resource } from '../../../wire/v1.ts';
import type { AgentState, Executor } from '../state.ts';

/** What an executor holds: its own resources, and those of its tasks that have not ended. */
export function allocatedTo(executor: Executor): readonly Resource[] {
  const lists = [executor.info.resources];
  for (const part of [executor.queued, executor.launched]) {
    for (const record of part.values()) lists.push(record.info.resources);
  }
  return lists.flatMap((list) => list ?? []);
}

/** What all executors that have not ended hold together. */
export function allocatedOn(state: AgentState): Resources {
  const held: Resource[] = [];
  for (const framework of state.frameworks.values()) {
    for (const executor of framework.executors.values()) {
      if (executor.phase !== 'terminated') held.push(...allocatedTo(executor));
    }
  }
  return Resources.of(held);
}
