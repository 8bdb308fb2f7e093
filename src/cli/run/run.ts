import { userInfo } from 'node:os';
import { Resources } from '../../resources/resources.ts';
import type { Credential } from '../../sdk/exchange.ts';
import type { Offer, TaskStatus } from '../../wire/v1.ts';
import { labelled, Progress, type Terminal } from './display.ts';
import { SandboxFollower } from './follow.ts';
import { describeStatus, exitStatusOf, isTerminal } from './outcome.ts';
import { type Planned, Session } from './session.ts';

const DEFAULT_AGENT_PORT = 5051;
/** How long the framework outlives a broken connection to the master, so that a master's restart does not kill the run. */
const FAILOVER_TIMEOUT_SECONDS = 10;
const INTERRUPTED = 130;

export interface RunOptions {
  readonly master: string;
  readonly name: string;
  readonly user: string | undefined;
  readonly role: string;
  readonly planned: readonly Planned[];
  readonly terminal: Terminal;
  readonly credential?: Credential;
  /** Aborts on Ctrl-C: the first time tasks are killed, the second time the framework is torn down at once. */
  readonly onInterrupt: (handler: () => void) => void;
}

/** Runs tasks on the cluster with their output on the terminal. @returns the exit status for the command */
export async function run(options: RunOptions): Promise<number> {
  const progress = new Progress(options.terminal, options.planned.length);
  const outputs = new Map<string, TaskOutput>();
  const labels = labelsOf(options.planned);
  let interrupts = 0;
  const session = new Session({
    master: options.master,
    planned: options.planned,
    ...(options.credential && { credential: options.credential }),
    framework: {
      user: options.user ?? userInfo().username,
      name: `meseta run ${options.name}`,
      roles: [options.role],
      failover_timeout: FAILOVER_TIMEOUT_SECONDS,
      capabilities: [
        { type: 'MULTI_ROLE' },
        { type: 'RESERVATION_REFINEMENT' },
        { type: 'PARTITION_AWARE' },
        { type: 'TASK_KILLING_STATE' },
      ],
    },
    onLaunch: (id, offer, frameworkId) =>
      outputs.set(id, new TaskOutput(id, offer, frameworkId, labels.get(id), options.terminal, progress)),
    onStatus: (id, status) => {
      outputs.get(id)?.update(status);
      progress.update(labels.get(id) ?? id, status);
    },
    onRemark: (text) => progress.say(text),
  });
  options.onInterrupt(() => {
    interrupts++;
    progress.say(interrupts === 1 ? 'killing the task; once more ends the framework at once' : 'ending the framework');
    void (interrupts === 1 ? session.kill() : session.abandon());
  });
  const statuses = await session.run();
  await Promise.all([...outputs.values()].map((output) => output.end()));
  progress.clear();
  if (options.planned.length > 1) progress.say(progress.summary());
  return interrupts > 0 ? INTERRUPTED : exitStatus(options.planned, statuses, progress);
}

function labelsOf(planned: readonly Planned[]): ReadonlyMap<string, string> {
  if (planned.length === 1) return new Map();
  return new Map(planned.map(({ task }, index) => [task.task_id.value, `${task.name}.${index}`]));
}

/** The first failure in the order of the instances decides, as `make -k` and `xargs` do it. */
function exitStatus(
  planned: readonly Planned[],
  statuses: ReadonlyMap<string, TaskStatus>,
  progress: Progress,
): number {
  let first = 0;
  for (const { task } of planned) {
    const status = statuses.get(task.task_id.value);
    const exit = status ? exitStatusOf(status) : 1;
    if (exit !== 0 && status && !hasOwnStatus(status)) progress.say(`${task.task_id.value}: ${describeStatus(status)}`);
    if (first === 0) first = exit;
  }
  return first;
}

/** A command that ran and failed has spoken for itself, as it would under a shell: only the unusual needs a word. */
function hasOwnStatus(status: TaskStatus): boolean {
  return status.state === 'TASK_FAILED' && /exited with status/.test(status.message ?? '');
}

/** Streams one task's stdout and stderr to the terminal from the moment it may have a sandbox. */
class TaskOutput {
  private readonly follower: SandboxFollower;
  private readonly label: string | undefined;
  private readonly terminal: Terminal;
  private readonly progress: Progress;
  private readonly id: string;
  private following: Promise<(string | undefined)[]> | undefined;

  constructor(
    id: string,
    offer: Offer,
    frameworkId: string,
    label: string | undefined,
    terminal: Terminal,
    progress: Progress,
  ) {
    const address = offer.url?.address;
    this.id = id;
    this.label = label;
    this.terminal = terminal;
    this.progress = progress;
    this.follower = new SandboxFollower(
      { host: address?.ip ?? address?.hostname ?? offer.hostname, port: address?.port ?? DEFAULT_AGENT_PORT },
      `/frameworks/${frameworkId}/executors/${id}/runs/latest`,
    );
  }

  update(status: TaskStatus): void {
    // Without a container there is no sandbox to read: the task never started.
    if (!this.following && status.container_status?.container_id) {
      this.following = Promise.all([
        this.stream('stdout', this.terminal.out),
        this.stream('stderr', this.terminal.error),
      ]);
    }
    if (isTerminal(status.state)) this.follower.finish();
  }

  /** Waits for the rest of the output. */
  async end(): Promise<void> {
    this.follower.finish();
    const problems = (await this.following) ?? [];
    this.follower.close();
    for (const problem of new Set(problems)) {
      if (problem === undefined) continue;
      this.progress.say(`output of ${this.id} may be incomplete: ${problem}`);
      // The agent that does not answer for stdout does not answer for stderr either: once is enough.
      break;
    }
  }

  private async stream(file: string, write: (bytes: Uint8Array | string) => void): Promise<string | undefined> {
    const show = (bytes: Uint8Array | string): void => {
      this.progress.clear();
      write(bytes);
    };
    if (this.label === undefined) return this.follower.follow(file, show);
    const lines = labelled(`[${this.label}] `, show);
    const problem = await this.follower.follow(file, (bytes) => lines.write(bytes));
    lines.end();
    return problem;
  }
}

const RESOURCE_NAMES = ['cpus', 'mem', 'disk', 'gpus'] as const;

/** What one task asks for, as resources. Amounts that are zero are left out. */
export function requestedResources(amounts: Readonly<Record<(typeof RESOURCE_NAMES)[number], number>>): Resources {
  return Resources.of(
    RESOURCE_NAMES.filter((name) => amounts[name] > 0).map((name) => ({
      name,
      type: 'SCALAR' as const,
      scalar: { value: amounts[name] },
    })),
  );
}
