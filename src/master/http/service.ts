import type { Exchange } from '../../http/endpoint.ts';
import type { LogLevel } from '../../http/endpoints/logging.ts';
import type { FilesTable } from '../../http/files/table.ts';
import type { MessageMedia } from '../../http/media.ts';
import type { MasterInfo } from '../../wire/v1.ts';
import type { Call as OperatorCall } from '../../wire/v1_master.ts';
import type { Call } from '../../wire/v1_scheduler.ts';
import type { MasterState } from '../core/state.ts';
import type { InverseOfferStatuses } from '../views/maintenance.ts';
import type { Program } from '../views/state.ts';
import type { WhyAllocator } from '../views/why.ts';
import type { Answers } from './answers.ts';

/** The running master, as its endpoints see it. */
export interface MasterService {
  /** Absent while this master does not lead. */
  readonly state: MasterState | undefined;
  /** Who leads, if it is another master. */
  readonly leader: MasterInfo | undefined;
  readonly program: Program;
  /** `--roles`: the only roles that may be used, if set. */
  readonly roleWhitelist: ReadonlySet<string> | undefined;
  readonly log: LogLevel;
  readonly files: FilesTable;
  /** Writes the long answers. */
  readonly answers: Answers;
  /** What frameworks answered to inverse offers. */
  readonly inverseOfferStatuses: InverseOfferStatuses | undefined;
  /** Asked why somebody is offered nothing; absent while this master does not lead. */
  readonly allocator: WhyAllocator | undefined;
  /** Every metric by name. */
  metrics(): Promise<Readonly<Record<string, number>>>;
  /** Hands a complete call to the core, which answers through the exchange. @param media of the events to come */
  schedulerCall(call: Call, sender: Sender, exchange: Exchange, media: MessageMedia): void;
  /** Hands a call that changes something to the core. */
  operatorCall(call: OperatorCall, principal: string | undefined, exchange: Exchange): void;
  /** Opens an operator's event stream. */
  subscribe(exchange: Exchange, media: MessageMedia): void;
}

export interface Sender {
  readonly principal?: string;
  /** The request's Mesos-Stream-Id header. */
  readonly streamId?: string;
}

/** The process under which the master's endpoints are found; it may be left out of URLs. */
export const PROCESS = 'master';
