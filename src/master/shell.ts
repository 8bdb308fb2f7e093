import { availableParallelism, freemem, loadavg, totalmem } from 'node:os';
import type { Exchange } from '../http/endpoint.ts';
import type { LogLevel } from '../http/endpoints/logging.ts';
import type { FilesTable } from '../http/files/table.ts';
import { JSON_TYPE, type MessageMedia } from '../http/media.ts';
import type { Libprocess } from '../libprocess/libprocess.ts';
import { monotonicTime } from '../runtime/clock.ts';
import type { Performers } from '../runtime/driver.ts';
import type { Logger } from '../runtime/logger.ts';
import { internalMessages } from '../wire/internal.ts';
import { Pool } from '../wire/pool.ts';
import type { MasterInfo } from '../wire/v1.ts';
import type { Call as OperatorCall } from '../wire/v1_master.ts';
import type { Call } from '../wire/v1_scheduler.ts';
import type { MasterEffect, SendEffect } from './core/effects.ts';
import { type CommitToken, type MasterEvent, messageEvent } from './core/events.ts';
import type { Master } from './core/machine.ts';
import type { RegistryOperation } from './core/registry.ts';
import { readReregistration } from './core/reregistration.ts';
import type { MasterState } from './core/state.ts';
import { EarlyMessages } from './early.ts';
import { Answers } from './http/answers.ts';
import { Connections } from './http/connections.ts';
import { Preparer } from './http/preparer.ts';
import { type MasterService, PROCESS, type Sender } from './http/service.ts';
import { Subscribers } from './http/subscribers.ts';
import type { Registrar } from './registrar.ts';
import { catchUpAgentSums } from './views/agent-sums.ts';
import type { InverseOfferStatuses } from './views/maintenance.ts';
import { metricsOf } from './views/metrics.ts';
import type { Program } from './views/state.ts';
import type { WhyAllocator } from './views/why.ts';

const REREGISTER = 'mesos.internal.ReregisterSlaveMessage';

/** What the shell needs of the rest of the program. */
export interface ShellOptions {
  /** Absent until this master leads: see `Shell.lead`. */
  readonly master?: Pick<Master, 'state' | 'allocator'>;
  /** What a master knows that does not lead: nothing. For its metrics. */
  readonly idle: MasterState;
  readonly program: Program;
  readonly roleWhitelist: ReadonlySet<string> | undefined;
  readonly perFrameworkMetrics: boolean;
  readonly maxSubscribers: number;
  readonly libprocess: Libprocess;
  readonly files: FilesTable;
  readonly logLevel: LogLevel;
  readonly logger: Logger;
  /** Another number after every step of the core. Absent: no two requests share an answer. */
  readonly version?: () => number;
  /** How many events of each kind wait for the core. */
  readonly queued?: () => ReadonlyMap<string, number>;
  /** How long allocations took, by the names of the metrics. */
  readonly allocationTimes?: () => Readonly<Record<string, number>>;
  /** Queues an event for the core. */
  readonly push: (event: MasterEvent) => void;
  /** Ends this program: another master is to take over. */
  readonly shutdown: (reason: string) => void;
}

/** The master's hands: turns requests and messages into events for the core, and its effects into answers and messages. */
export class Shell implements MasterService {
  readonly #options: ShellOptions;
  readonly #connections: Connections;
  readonly #subscribers: Subscribers;
  readonly answers: Answers;
  readonly preparer: Preparer;
  readonly #started = performance.now();
  #master: Pick<Master, 'state' | 'allocator'> | undefined;
  #leader: MasterInfo | undefined;
  #isRecovering = false;
  #registrar: Registrar | undefined;
  readonly #pool = new Pool();
  readonly #early = new EarlyMessages();
  #dropped = 0;
  #authenticating = 0;

  constructor(options: ShellOptions) {
    this.#options = options;
    this.#master = options.master;
    const { program, version = () => Number.NaN } = options;
    this.answers = new Answers(version);
    this.preparer = new Preparer({ answers: this.answers, program, state: () => this.state, version });
    this.#subscribers = new Subscribers(options.maxSubscribers, this.answers);
    this.#connections = new Connections((stream, reason) => {
      if (reason === 'reader too slow')
        options.logger.warning(
          `Closing event stream ${stream}: its scheduler does not read, and too much is waiting for it`,
        );
      options.push({ kind: 'streamClosed', stream, reason });
    });
  }

  get state(): MasterState | undefined {
    return this.#master?.state;
  }

  /** Who leads, if it is another master. */
  get leader(): MasterInfo | undefined {
    return this.#leader;
  }

  /** It leads, and is about to. */
  get isRecovering(): boolean {
    return this.#isRecovering;
  }

  /** This master leads, and begins to read the registry. */
  recover(): void {
    this.#isRecovering = true;
    this.#leader = undefined;
  }

  /** From now on this master answers out of this core, and keeps what must survive with this registrar. */
  lead(master: Pick<Master, 'state' | 'allocator'>, registrar: Registrar): void {
    this.#isRecovering = false;
    this.#master = master;
    this.#registrar = registrar;
  }

  /** Takes what agents have said while this master was about to lead. */
  catchUp(): void {
    this.#early.release(({ from, name, body, to }) => this.#receive(from, name, body, to));
  }

  /** Another master leads; undefined: nobody is known to. */
  follow(leader: MasterInfo | undefined): void {
    this.#leader = leader;
    if (leader !== undefined) this.#early.clear();
  }

  get inverseOfferStatuses(): InverseOfferStatuses | undefined {
    return this.#master?.allocator.inverseOfferStatuses();
  }

  get allocator(): WhyAllocator | undefined {
    return this.#master?.allocator;
  }

  get program(): Program {
    return this.#options.program;
  }

  get roleWhitelist(): ReadonlySet<string> | undefined {
    return this.#options.roleWhitelist;
  }

  get log(): LogLevel {
    return this.#options.logLevel;
  }

  get files(): FilesTable {
    return this.#options.files;
  }

  async metrics(): Promise<Readonly<Record<string, number>>> {
    const { state } = this;
    if (state !== undefined) await this.answers.work(catchUpAgentSums(state));
    return this.#metricsNow();
  }

  #metricsNow(): Readonly<Record<string, number>> {
    const more = {
      ...machineMetrics(),
      'registrar/queued_operations': 0,
      ...this.#registrar?.metrics(),
      ...this.#options.allocationTimes?.(),
      'master/http_cache_hits': this.answers.hits,
      'master/dropped_messages': this.#dropped,
      'master/messages_authenticate': this.#authenticating,
    };
    return metricsOf(this.state ?? this.#options.idle, {
      elected: this.state !== undefined,
      queued: this.#queued(),
      uptimeSeconds: this.#uptime(),
      now: monotonicTime(),
      operatorStreams: this.#subscribers.size,
      allocator: this.#master?.allocator,
      perFramework: this.#options.perFrameworkMetrics,
      more,
    });
  }

  /** What waits for the core, by upstream's distinction: timers and its own answers are dispatches there. */
  #queued(): { messages: number; dispatches: number; httpRequests: number } {
    const counts = { messages: 0, dispatches: 0, httpRequests: 0 };
    for (const [kind, count] of this.#options.queued?.() ?? []) {
      if (kind === 'message') counts.messages += count;
      else if (kind === 'schedulerCall' || kind === 'operatorCall') counts.httpRequests += count;
      else counts.dispatches += count;
    }
    return counts;
  }

  schedulerCall(call: Call, sender: Sender, exchange: Exchange, media: MessageMedia): void {
    this.#options.push({ kind: 'schedulerCall', request: this.#connections.add(exchange, media), call, ...sender });
  }

  operatorCall(call: OperatorCall, principal: string | undefined, exchange: Exchange): void {
    this.#options.push({ kind: 'operatorCall', request: this.#connections.add(exchange, JSON_TYPE), call, principal });
  }

  subscribe(exchange: Exchange, media: MessageMedia): void {
    if (this.state !== undefined) this.#subscribers.add(this.state, exchange, media);
  }

  /** Takes the messages of agents and of version 0 drivers. */
  listen(): void {
    const { libprocess, push } = this.#options;
    const receive = (from: string, name: string, body: Uint8Array, to: string): void =>
      this.#receive(from, name, body, to);
    libprocess.register(PROCESS, receive);
    libprocess.register('slave-observer(*)', receive);
    libprocess.onExited((pid) => {
      this.#early.forget(pid);
      push({ kind: 'exited', pid });
    });
    this.preparer.start();
  }

  /** What to do for each effect of the core. */
  readonly performers: Performers<MasterEffect> = {
    reply: (effect) => this.#connections.perform(effect),
    openStream: (effect) => this.#connections.perform(effect),
    event: (effect) => this.#connections.perform(effect),
    closeStream: (effect) => this.#connections.perform(effect),
    awaitReader: ({ stream }) =>
      this.#connections.whenRead(stream, () => this.#options.push({ kind: 'readerReady', stream })),
    send: (effect) => this.#send(effect),
    link: ({ pid, relink }) => this.#report(this.#options.libprocess.link(pid, { reconnect: relink })),
    commit: ({ token, operation }) => this.#commit(token, operation),
    operatorEvent: ({ notice }) => {
      if (this.state !== undefined) this.#subscribers.tell(this.state, notice);
    },
    log: ({ level, text }) => this.#options.logger.log(level, text),
    shutdown: ({ reason }) => this.#options.shutdown(reason),
  };

  /** Ends the streams, so that their readers look for the next master. */
  async close(): Promise<void> {
    this.#connections.close();
    this.#subscribers.close();
    await this.#registrar?.close();
  }

  #commit(token: CommitToken, operation: RegistryOperation): void {
    const { push } = this.#options;
    if (this.#registrar === undefined) {
      push({ kind: 'committed', token });
      return;
    }
    void this.#registrar.commit(operation).then((outcome) => {
      push(outcome.ok ? { kind: 'committed', token } : { kind: 'committed', token, error: outcome.error });
    });
  }

  #receive(from: string, name: string, body: Uint8Array, to: string): void {
    if (name === 'mesos.internal.AuthenticateMessage') this.#authenticating++;
    if (this.state === undefined) {
      const mayLead = this.#leader === undefined;
      if (!mayLead || !this.#early.keep({ from, name, body, to })) this.#dropped++;
      return;
    }
    this.#early.supersede({ from, name });
    const type = internalMessages[name];
    if (type === undefined) {
      this.#options.logger.warning(`Dropping ${name} from ${from}: this message is not known`);
      return;
    }
    // Agents tell of many tasks with equal resources and labels, all at once after a failover.
    const message = name === REREGISTER ? readReregistration(body, this.#pool) : type.decode(body);
    if (!message.ok) {
      this.#options.logger.warning(`Dropping ${name} from ${from}: ${message.error}`);
      return;
    }
    const event = messageEvent({ from, to, name, body: message.value });
    if (event !== undefined) this.#options.push(event);
    else this.#options.logger.warning(`Dropping ${name} from ${from}: a master does not take this message`);
  }

  #send({ from, to, name, message }: SendEffect): void {
    const encoded = internalMessages[name]?.tryEncode(message);
    if (encoded === undefined) return;
    if (encoded.ok) this.#report(this.#options.libprocess.send(from, to, name, encoded.value));
    else this.#options.logger.error(`Cannot send ${name} to ${to}: ${encoded.error}`);
  }

  #report(result: { readonly ok: boolean; readonly error?: string }): void {
    if (!result.ok) this.#options.logger.error(result.error ?? '');
  }

  #uptime(): number {
    return (performance.now() - this.#started) / 1000;
  }
}

function machineMetrics(): Record<string, number> {
  const [one = 0, five = 0, fifteen = 0] = loadavg();
  return {
    'system/cpus_total': availableParallelism(),
    'system/load_1min': one,
    'system/load_5min': five,
    'system/load_15min': fifteen,
    'system/mem_total_bytes': totalmem(),
    'system/mem_free_bytes': freemem(),
  };
}
