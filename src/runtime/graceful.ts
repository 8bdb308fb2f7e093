/** How a daemon ends: on a signal in order and in time, on a bug at once, on a broken connection not at all. */
import { constants } from 'node:os';
import type { Millis } from '../base/machine.ts';
import { ABORTED } from './driver.ts';
import type { Logger } from './logger.ts';

export interface StopOptions {
  readonly logger: Logger;
  /** How long `stop` may take before the process ends without it. */
  readonly deadline: Millis;
  /** Ends what the daemon runs, in order. Called once. */
  readonly stop: (signal: NodeJS.Signals) => Promise<void>;
  /** Other signals that stop too: the agent unregisters on SIGUSR1. */
  readonly signals?: readonly NodeJS.Signals[];
  /** In place of `process.exit`. For tests. */
  readonly exit?: (status: number) => void;
}

/**
 * Stops on SIGINT and SIGTERM: status 0 once `stop` is through, 1 when it failed or took too long. A second signal ends
 * the process at once. @returns the same, for a stop that nobody signalled: with the status to exit with
 */
export function stopOnSignal(options: StopOptions): (status: number) => void {
  const exit = options.exit ?? ((status: number) => process.exit(status));
  const signals: NodeJS.Signals[] = ['SIGINT', 'SIGTERM', ...(options.signals ?? [])];
  let stopping = false;

  const begin = (signal: NodeJS.Signals, status: number): void => {
    stopping = true;
    const tooLate = setTimeout(() => {
      options.logger.error(`Not stopped within ${options.deadline} ms; ending anyway`);
      exit(1);
    }, options.deadline);
    options
      .stop(signal)
      .catch((error: unknown) => {
        options.logger.error('Stopping failed', error);
        return 'failed' as const;
      })
      .then((outcome) => {
        clearTimeout(tooLate);
        exit(outcome === 'failed' ? 1 : status);
      });
  };

  const onSignal = (signal: NodeJS.Signals): void => {
    if (stopping) {
      options.logger.warning(`Received ${signal} again; ending at once`);
      exit(128 + (constants.signals[signal] ?? 0));
      return;
    }
    options.logger.info(`Received ${signal}; stopping`);
    begin(signal, 0);
  };
  for (const signal of signals) process.on(signal, onSignal);
  return (status) => {
    if (!stopping) begin('SIGTERM', status);
  };
}

/** What the other end of a connection can do to us. */
const CONNECTION_TROUBLES: ReadonlySet<string> = new Set([
  'ECONNRESET',
  'ECONNREFUSED',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'ENOTCONN',
  'ERR_STREAM_DESTROYED',
  'ERR_STREAM_WRITE_AFTER_END',
  'ERR_STREAM_PREMATURE_CLOSE',
  'ERR_HTTP_HEADERS_SENT',
]);

/** True for errors that say something about a connection, and nothing about our own state. */
export function isConnectionTrouble(error: unknown): boolean {
  return error instanceof Error && 'code' in error && CONNECTION_TROUBLES.has(String(error.code));
}

/**
 * The last net: an error of a connection that nobody listened to is logged, anything else that nobody caught is a bug,
 * logged with its stack, and ends the process: restart is the recovery path.
 */
export function guardProcess(logger: Logger, exit: (status: number) => void = (status) => process.exit(status)): void {
  const onStray = (error: unknown): void => {
    if (isConnectionTrouble(error)) {
      logger.warning('A connection failed where nobody looked after it', error);
      return;
    }
    logger.fatal('Nobody caught this; ending the process, restart it to recover', error);
    exit(ABORTED);
  };
  process.on('uncaughtException', onStray);
  process.on('unhandledRejection', onStray);
}
