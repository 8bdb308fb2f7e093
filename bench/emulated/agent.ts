/**
 * An agent that runs nothing: it registers, answers pings, and reports of each task what an agent with an executor would
 * report, one update after the other as they are acknowledged. It knows no transport and no clock; see in-process.ts and
 * sockets.ts for those.
 */
import { randomUuidBytes } from '../../src/base/random.ts';
import type {
  KillTaskMessage,
  PongSlaveMessage,
  RegisterSlaveMessage,
  ReregisterSlaveMessage,
  RunTaskGroupMessage,
  RunTaskMessage,
  ShutdownFrameworkMessage,
  SlaveRegisteredMessage,
  StatusUpdateAcknowledgementMessage,
  StatusUpdateMessage,
} from '../../src/wire/internal.ts';
import type { AgentInfo, AgentInfo_Capability, FrameworkInfo, Task, TaskInfo, TaskState } from '../../src/wire/v1.ts';

/** The messages that an emulated agent sends, by full name. */
export interface AgentMessages {
  'mesos.internal.RegisterSlaveMessage': RegisterSlaveMessage;
  'mesos.internal.ReregisterSlaveMessage': ReregisterSlaveMessage;
  'mesos.internal.PongSlaveMessage': PongSlaveMessage;
  'mesos.internal.StatusUpdateMessage': StatusUpdateMessage;
}

/** What an emulated agent needs from its surroundings. */
export interface AgentWorld {
  send<Name extends keyof AgentMessages>(
    from: EmulatedAgent,
    to: string,
    name: Name,
    message: AgentMessages[Name],
  ): void;
  /** Calls back once, so many milliseconds from now. */
  after(milliseconds: number, action: () => void): void;
  /** Wall-clock time in ms since the Unix epoch. */
  wall(): number;
  readonly random: () => number;
  /** The master has admitted the agent (again). */
  registered?(agent: EmulatedAgent): void;
}

/** What the tasks of an agent do. */
export interface TaskScript {
  /** Milliseconds from TASK_RUNNING to TASK_FINISHED; Infinity for tasks that run until they are killed. */
  readonly runsFor: (random: () => number, task: TaskInfo) => number;
  /** Report TASK_STARTING first, as executors do. */
  readonly starting: boolean;
}

export const SHORT_TASKS: TaskScript = { runsFor: () => 0, starting: false };

export interface EmulatedAgentOptions {
  /** `slave(7)@127.0.0.1:28001` */
  readonly pid: string;
  readonly info: AgentInfo;
  readonly script?: TaskScript;
}

const VERSION = '1.11.0';
const CAPABILITIES: readonly AgentInfo_Capability[] = [
  { type: 'MULTI_ROLE' },
  { type: 'HIERARCHICAL_ROLE' },
  { type: 'RESERVATION_REFINEMENT' },
];
const TERMINAL: ReadonlySet<TaskState> = new Set(['TASK_FINISHED', 'TASK_KILLED']);

interface EmulatedTask {
  readonly framework: FrameworkInfo;
  readonly info: TaskInfo;
  readonly executorId: string;
  /** What is still to be told; the first of them is on its way. */
  readonly pending: { readonly state: TaskState; readonly uuid: Uint8Array }[];
  state: TaskState;
}

export class EmulatedAgent {
  readonly pid: string;
  private readonly world: AgentWorld;
  private readonly script: TaskScript;
  private readonly tasks = new Map<string, EmulatedTask>();
  private readonly resourceVersion: { readonly value: Uint8Array };
  private info: AgentInfo;
  private master = '';
  private confirmed = false;
  private stopped = false;

  constructor(options: EmulatedAgentOptions, world: AgentWorld) {
    this.pid = options.pid;
    this.info = options.info;
    this.script = options.script ?? SHORT_TASKS;
    this.world = world;
    this.resourceVersion = { value: randomUuidBytes(world.random) };
  }

  /** The id that the master gave; undefined before it has. */
  get id(): string | undefined {
    return this.info.id?.value;
  }

  /** How many tasks are not both ended and acknowledged. */
  get taskCount(): number {
    return this.tasks.size;
  }

  /** Introduces itself to a master, for the first time or again with all that it has. */
  register(master: string): void {
    this.master = master;
    const base = {
      version: VERSION,
      agent_capabilities: CAPABILITIES,
      resource_version_uuid: this.resourceVersion,
      slave: this.info,
    };
    if (this.info.id === undefined) {
      this.world.send(this, master, 'mesos.internal.RegisterSlaveMessage', base);
      return;
    }
    const tasks = [...this.tasks.values()];
    const frameworks = new Map(tasks.map(({ framework }) => [framework.id?.value, framework]));
    this.world.send(this, master, 'mesos.internal.ReregisterSlaveMessage', {
      ...base,
      tasks: tasks.map((task) => this.describe(task)),
      frameworks: [...frameworks.values()],
    });
  }

  /** Registers, and again if that is not answered; nobody else repeats a message that was lost. */
  insist(master: string, interval: number): void {
    this.confirmed = false;
    const attempt = (): void => {
      if (this.confirmed || this.stopped) return;
      this.register(master);
      this.world.after(interval, attempt);
    };
    attempt();
  }

  /** Takes one message of the master. @param from the process that sent it; pings come from observers */
  receive(from: string, name: string, message: object): void {
    if (this.stopped) return;
    switch (name) {
      case 'mesos.internal.PingSlaveMessage':
        this.world.send(this, from, 'mesos.internal.PongSlaveMessage', {});
        return;
      case 'mesos.internal.SlaveRegisteredMessage':
      case 'mesos.internal.SlaveReregisteredMessage':
        this.admitted(message as SlaveRegisteredMessage);
        return;
      case 'mesos.internal.RunTaskMessage':
        this.run(message as RunTaskMessage);
        return;
      case 'mesos.internal.RunTaskGroupMessage':
        this.runGroup(message as RunTaskGroupMessage);
        return;
      case 'mesos.internal.StatusUpdateAcknowledgementMessage':
        this.acknowledged(message as StatusUpdateAcknowledgementMessage);
        return;
      case 'mesos.internal.KillTaskMessage':
        this.kill(message as KillTaskMessage);
        return;
      case 'mesos.internal.ShutdownFrameworkMessage':
        this.forget((message as ShutdownFrameworkMessage).framework_id.value);
        return;
      case 'mesos.internal.ShutdownMessage':
        this.stopped = true;
        return;
      default:
        return;
    }
  }

  private admitted(message: SlaveRegisteredMessage): void {
    this.confirmed = true;
    this.info = { ...this.info, id: message.slave_id };
    for (const task of this.tasks.values()) if (task.pending.length > 0) this.forward(task);
    this.world.registered?.(this);
  }

  private run(message: RunTaskMessage): void {
    const { framework, task } = message;
    this.start(framework, task, task.executor?.executor_id.value ?? task.task_id.value);
  }

  private runGroup(message: RunTaskGroupMessage): void {
    const { framework, executor } = message;
    for (const task of message.task_group.tasks ?? []) this.start(framework, task, executor.executor_id.value);
  }

  private start(framework: FrameworkInfo, info: TaskInfo, executorId: string): void {
    const key = keyOf(framework.id?.value ?? '', info.task_id.value);
    const task: EmulatedTask = { framework, info, executorId, pending: [], state: 'TASK_STAGING' };
    this.tasks.set(key, task);
    if (this.script.starting) this.report(task, 'TASK_STARTING');
    this.report(task, 'TASK_RUNNING');
    const runsFor = this.script.runsFor(this.world.random, info);
    if (runsFor <= 0) this.report(task, 'TASK_FINISHED');
    else if (Number.isFinite(runsFor)) this.world.after(runsFor, () => this.end(key, 'TASK_FINISHED'));
  }

  private kill(message: KillTaskMessage): void {
    this.end(keyOf(message.framework_id.value, message.task_id.value), 'TASK_KILLED');
  }

  private end(key: string, state: TaskState): void {
    const task = this.tasks.get(key);
    if (task !== undefined && !TERMINAL.has(task.state)) this.report(task, state);
  }

  private report(task: EmulatedTask, state: TaskState): void {
    task.state = state;
    task.pending.push({ state, uuid: randomUuidBytes(this.world.random) });
    if (task.pending.length === 1) this.forward(task);
  }

  /** Sends the first update that is not acknowledged; the next one waits for that. */
  private forward(task: EmulatedTask): void {
    const agentId = this.info.id;
    const framework_id = task.framework.id;
    const update = task.pending[0];
    if (update === undefined || agentId === undefined || framework_id === undefined || this.stopped) return;
    const timestamp = this.world.wall() / 1000;
    const executor_id = { value: task.executorId };
    this.world.send(this, this.master, 'mesos.internal.StatusUpdateMessage', {
      pid: this.pid,
      update: {
        framework_id,
        executor_id,
        slave_id: agentId,
        timestamp,
        uuid: update.uuid,
        latest_state: task.state,
        status: {
          task_id: task.info.task_id,
          state: update.state,
          source: 'SOURCE_EXECUTOR',
          agent_id: agentId,
          executor_id,
          timestamp,
          uuid: update.uuid,
        },
      },
    });
  }

  private acknowledged(message: StatusUpdateAcknowledgementMessage): void {
    const key = keyOf(message.framework_id.value, message.task_id.value);
    const task = this.tasks.get(key);
    const first = task?.pending[0];
    if (task === undefined || first === undefined || !sameBytes(first.uuid, message.uuid)) return;
    task.pending.shift();
    if (TERMINAL.has(first.state)) this.tasks.delete(key);
    else this.forward(task);
  }

  private forget(frameworkId: string): void {
    for (const [key, { framework }] of this.tasks) if (framework.id?.value === frameworkId) this.tasks.delete(key);
  }

  private describe(task: EmulatedTask): Task {
    const { info, framework } = task;
    return {
      name: info.name,
      task_id: info.task_id,
      framework_id: framework.id ?? { value: '' },
      agent_id: this.info.id ?? { value: '' },
      state: task.state,
      resources: info.resources ?? [],
      ...(info.labels !== undefined && { labels: info.labels }),
      ...(task.pending[0] !== undefined && {
        status_update_state: task.pending[0].state,
        status_update_uuid: task.pending[0].uuid,
      }),
    };
  }
}

function keyOf(frameworkId: string, taskId: string): string {
  return `${frameworkId}/${taskId}`;
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
