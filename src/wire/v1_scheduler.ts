/** `mesos.v1.scheduler`: the scheduler API. Each message and enum is both an interface (or a union of strings) and the value that encodes and decodes it. */
export * from './generated/v1_scheduler.ts';
