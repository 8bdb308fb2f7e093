/** `mesos.v1.maintenance`: maintenance schedules. Each message and enum is both an interface (or a union of strings) and the value that encodes and decodes it. */
export * from './generated/v1_maintenance.ts';
