import { ok } from '../base/result.ts';
import type { Libprocess, MessageHandler } from '../libprocess/libprocess.ts';
import type { Logger } from '../runtime/logger.ts';
import { type MasterOptions, masterOptions } from './core/options.ts';

/** A transport that nothing goes out by. @param handlers where those are put who would receive */
export function silentLibprocess(handlers: Map<string, MessageHandler> = new Map()): Libprocess {
  return {
    address: { ip: '127.0.0.1', port: 5050 },
    pid: (id) => `${id}@127.0.0.1:5050`,
    register: (id, handler) => {
      handlers.set(id, handler);
      return () => {};
    },
    processes: () => [],
    send: () => ok(undefined),
    link: () => ok(undefined),
    unlink: () => {},
    onExited: () => () => {},
    accept: () => false,
    close: () => {},
  };
}

export function silentLogger(): Logger {
  const nothing = (): void => {};
  const logger: Logger = {
    info: nothing,
    warning: nothing,
    error: nothing,
    fatal: nothing,
    verbose: nothing,
    log: nothing,
    named: () => logger,
  };
  return logger;
}

export function coreOptionsFor(): MasterOptions {
  return masterOptions({ info: { id: 'm', ip: 0, port: 5050, hostname: 'localhost' } });
}
