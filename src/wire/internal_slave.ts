/** `mesos.internal.slave`: what the agent writes into its checkpoints. Each message and enum is both an interface (or a union of strings) and the value that encodes and decodes it. */
export * from './generated/internal_slave.ts';
