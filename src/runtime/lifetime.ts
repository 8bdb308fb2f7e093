import type { Logger } from './logger.ts';

/** Exit status after a broken invariant: what a shell shows for SIGABRT, which is how upstream ends then. */
const ABORTED = 134;

export type StopSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'SIGUSR1';

export interface LifetimeOptions {
  readonly log: Logger;
  /** Ends the daemon in order; the process exits when it resolves. */
  readonly stop: (signal: StopSignal) => Promise<void> | void;
  /** How long `stop` may take, in ms, before the process exits all the same. */
  readonly deadline?: number;
  /** Which signals ask for a stop; SIGINT and SIGTERM unless given. */
  readonly signals?: readonly StopSignal[];
}

const DEFAULT_DEADLINE = 10_000;

/** Signals and mishaps: the first signal stops in order, a second one at once; only broken invariants end the process. */
export function watchLifetime(options: LifetimeOptions): void {
  let stopping = false;
  for (const signal of options.signals ?? (['SIGINT', 'SIGTERM'] as const)) {
    process.on(signal, () => {
      if (stopping) process.exit(1);
      stopping = true;
      options.log.info('runtime', `${signal}: stopping`);
      setTimeout(() => {
        options.log.error('runtime', 'stopping took too long, exiting without the rest');
        process.exit(1);
      }, options.deadline ?? DEFAULT_DEADLINE).unref();
      void Promise.resolve(options.stop(signal))
        .catch((error: unknown) => options.log.error('runtime', `while stopping: ${describe(error)}`))
        .then(() => options.log.close())
        .then(() => process.exit(0));
    });
  }
  // Writing to a pipe whose reader has gone is no reason to end; an exception that nobody expected is.
  process.stdout.on('error', () => undefined);
  process.stderr.on('error', () => undefined);
  process.on('uncaughtException', (error) => abort(options.log, error));
  process.on('unhandledRejection', (reason) => abort(options.log, reason));
}

/** Ends the process because its state can no longer be trusted; restart is the recovery. */
export function abort(log: Logger, error: unknown, during?: string): never {
  log.error('runtime', `${during === undefined ? '' : `${during}: `}${describe(error)}`);
  process.exit(ABORTED);
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
