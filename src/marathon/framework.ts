/** Marathon as a framework: what the master says becomes events, what the core asks for becomes calls. */
import type { Logger } from '../runtime/logger.ts';
import { FrameworkError, NotConnected } from '../sdk/errors.ts';
import type { Credential } from '../sdk/exchange.ts';
import { Scheduler } from '../sdk/scheduler.ts';
import type { FrameworkInfo, FrameworkInfo_Capability_Type } from '../wire/v1.ts';
import type { Call } from '../wire/v1_scheduler.ts';
import { AgentTotals } from './agent-totals.ts';
import type { MarathonEvent } from './core/events.ts';
import type { MarathonFlags } from './flags.ts';

/** Upstream's exit statuses. */
export const EXIT = {
  zooKeeperConnect: 100,
  zooKeeperLost: 101,
  leadershipLost: 103,
  abdicated: 105,
  scheduler: 106,
  uncaught: 107,
  frameworkIdMissing: 108,
  frameworkRemoved: 110,
  bind: 111,
  flags: 112,
} as const;

export interface FrameworkOptions {
  readonly flags: MarathonFlags;
  readonly user: string;
  readonly hostname: string;
  readonly webuiUrl: string;
  /** As it was stored; absent for a framework that is new. */
  readonly frameworkId?: string;
  readonly secret?: string;
  readonly logger: Logger;
  readonly post: (event: MarathonEvent) => void;
  /** The framework cannot go on. */
  readonly end: (status: number, reason: string) => void;
}

export class Framework {
  readonly #options: FrameworkOptions;
  readonly #scheduler: Scheduler;
  /** What the agents have in all. */
  readonly totals: AgentTotals;
  #info: FrameworkInfo;

  /** @throws Error when --master makes no sense */
  constructor(options: FrameworkOptions) {
    this.#options = options;
    this.#info = frameworkInfo(options);
    const { post, flags } = options;
    const credential = credentialOf(options);
    this.#scheduler = new Scheduler({
      master: flags.master,
      framework: this.#info,
      acknowledge: 'manual',
      ...(credential && { credential }),
      handlers: {
        subscribed: (frameworkId, master) => post({ kind: 'subscribed', frameworkId, ...(master && { master }) }),
        offers: (offers) => post({ kind: 'offers', offers }),
        rescind: ({ value }) => post({ kind: 'rescind', offerId: value }),
        update: (status) => post({ kind: 'update', status }),
        message: (data, { agent, executor }) =>
          post({ kind: 'message', agentId: agent.value, executorId: executor.value, data }),
        disconnected: (reason) => post({ kind: 'disconnected', reason }),
      },
    });
    this.totals = new AgentTotals(() => this.#scheduler.master, credential);
  }

  /** Subscribes, and stays subscribed until it is stopped. */
  async run(): Promise<void> {
    const { end } = this.#options;
    try {
      await this.#scheduler.run();
    } catch (error) {
      const text = (error as Error).message;
      if (error instanceof FrameworkError && text.includes('removed')) {
        end(
          EXIT.frameworkRemoved,
          `${text}. Its tasks are gone; remove the stored framework id to register as a new one`,
        );
      } else {
        end(EXIT.scheduler, `The master does not take this framework: ${text}`);
      }
    }
  }

  /** Leaves the tasks running. */
  stop(): void {
    this.#scheduler.stop();
  }

  /** Sends a call. Without a connection it is dropped: whatever it was about is gone through again after the next subscription. */
  send(call: Call): void {
    this.#scheduler.call(call).catch((error: unknown) => {
      const { logger } = this.#options;
      if (error instanceof NotConnected) logger.verbose(1, `${call.type} is dropped: ${error.message}`);
      else logger.warning(`The master refuses ${call.type}: ${(error as Error).message}`);
    });
  }

  /** Subscribes to these roles from now on. */
  setRoles(roles: readonly string[]): void {
    this.#info = { ...this.#info, roles };
    const id = this.#scheduler.frameworkId;
    this.send({
      type: 'UPDATE_FRAMEWORK',
      update_framework: { framework_info: { ...this.#info, ...(id !== undefined && { id: { value: id } }) } },
    });
  }
}

function credentialOf({ flags, secret }: FrameworkOptions): Credential | undefined {
  const principal = flags.mesos_authentication_principal;
  if (!flags.mesos_authentication || principal === undefined || secret === undefined) return undefined;
  return { principal, secret };
}

function frameworkInfo({ flags, user, hostname, webuiUrl, frameworkId }: FrameworkOptions): FrameworkInfo {
  const features = new Set(flags.enable_features.split(','));
  const capabilities: FrameworkInfo_Capability_Type[] = ['PARTITION_AWARE', 'MULTI_ROLE', 'REGION_AWARE'];
  if (features.has('task_killing')) capabilities.push('TASK_KILLING_STATE');
  if (features.has('gpu_resources')) capabilities.push('GPU_RESOURCES');
  const principal = flags.mesos_authentication_principal;
  return {
    user,
    name: flags.framework_name,
    hostname,
    failover_timeout: flags.failover_timeout,
    checkpoint: flags.checkpoint,
    webui_url: webuiUrl,
    roles: [flags.mesos_role],
    capabilities: capabilities.map((type) => ({ type })),
    ...(principal !== undefined && { principal }),
    ...(frameworkId !== undefined && { id: { value: frameworkId } }),
  };
}
