import type { AgentEffect } from '../../agent/core/effects.ts';
import type { AgentEvent } from '../../agent/core/events.ts';
import { isTerminal } from '../../agent/core/task-state.ts';
import type { TaskState, TaskStatus } from '../../wire/v1.ts';
import type { Observer, SeenAgent } from '../observer.ts';
import { hex } from '../transcript.ts';
import { demand } from '../violation.ts';

interface Update {
  readonly uuid: string;
  readonly state: TaskState;
  /** The agent that sent it. */
  readonly by: string;
  /** Its agent remembers it on disk. */
  readonly kept: boolean;
}

/**
 * Agents' updates of one task reach its scheduler in the order in which the agent made them, none is left out, none comes
 * after the end, and an agent forgets an update only when the scheduler has seen it.
 */
export class UpdatesChecker implements Observer {
  /** By framework and task: what the agent sent, each update once. */
  private readonly sent = new Map<string, Update[]>();
  /** How many of these the scheduler has seen. */
  private readonly seen = new Map<string, number>();
  private readonly seenUuids = new Set<string>();
  /** Sent by agents that are no more. */
  private readonly forgotten = new Set<string>();
  /** Tasks of which an agent that had forgotten them told something else. */
  private readonly retold = new Set<string>();

  /** How the task ended, as its agent told its scheduler; undefined where it has told more than one story. */
  end(frameworkId: string, taskId: string): TaskState | undefined {
    const key = `${frameworkId}/${taskId}`;
    if (this.retold.has(key)) return undefined;
    const last = this.sent.get(key)?.[(this.seen.get(key) ?? 0) - 1];
    return isTerminal(last?.state) ? last?.state : undefined;
  }

  agentStepped(agent: SeenAgent, event: AgentEvent): void {
    if (event.kind === 'message' && event.name === 'mesos.internal.StatusUpdateAcknowledgementMessage') {
      const uuid = hex(event.body.uuid);
      demand(this.seenUuids.has(uuid), () => `${agent.name} was told that ${uuid} is acknowledged, which nobody saw`);
    }
  }

  agentPerforms(agent: SeenAgent, effect: AgentEffect): void {
    if (effect.kind !== 'send' || effect.name !== 'mesos.internal.StatusUpdateMessage') return;
    const { framework_id, status, uuid } = effect.message.update;
    this.send(`${framework_id.value}/${status.task_id.value}`, {
      uuid: hex(uuid ?? new Uint8Array()),
      state: status.state,
      by: agent.name,
      kept: agent.keeps?.(framework_id.value, status.task_id.value) ?? true,
    });
  }

  /** What it did not remember is forgotten: the next agent tells of such tasks as it finds them. */
  agentEnded(agent: SeenAgent, forgotten: boolean): void {
    for (const [key, list] of this.sent) {
      const lost = list.filter(({ by, kept, uuid }) => {
        const isGone = forgotten ? machineOf(by) === machineOf(agent.name) : by === agent.name && !kept;
        return isGone && !this.seenUuids.has(uuid);
      });
      if (list.some(({ by, kept }) => by === agent.name && !kept)) this.retold.add(key);
      if (lost.length === 0) continue;
      this.retold.add(key);
      for (const { uuid } of lost) this.forgotten.add(uuid);
      this.sent.set(
        key,
        list.filter((update) => !lost.includes(update)),
      );
    }
  }

  statusSeen(frameworkId: string, status: TaskStatus): void {
    if (status.uuid === undefined) return;
    const uuid = hex(status.uuid);
    if (this.seenUuids.has(uuid)) return;
    if (this.forgotten.has(uuid)) {
      this.retold.add(`${frameworkId}/${status.task_id.value}`);
      this.seenUuids.add(uuid);
      return;
    }
    const key = `${frameworkId}/${status.task_id.value}`;
    const at = this.seen.get(key) ?? 0;
    const expected = this.sent.get(key)?.[at];
    demand(
      expected?.uuid === uuid,
      () => `${key}: ${status.state} (${uuid}) arrived, where ${expected?.state} (${expected?.uuid}) should be next`,
    );
    this.seenUuids.add(uuid);
    this.seen.set(key, at + 1);
  }

  private send(key: string, update: Update): void {
    const list = this.sent.get(key) ?? [];
    if (list.some(({ uuid }) => uuid === update.uuid)) return;
    const last = list.at(-1);
    // An agent may be asked once more about a task of which it knows nothing any more; it must not change its story.
    demand(
      !isTerminal(last?.state) || last?.state === update.state || (last?.by !== update.by && !last?.kept),
      () => `${key}: ${update.state} was sent after its end, ${last?.state}`,
    );
    demand(
      last === undefined || this.seenUuids.has(last.uuid),
      () => `${key}: ${update.state} was sent before ${last?.state} was acknowledged`,
    );
    if (isTerminal(last?.state) && last?.state !== update.state) this.retold.add(key);
    this.sent.set(key, [...list, update]);
  }
}

/** All lives of an agent on one machine share the first part of their names. */
function machineOf(agent: string): string {
  return agent.slice(0, agent.indexOf('.'));
}
