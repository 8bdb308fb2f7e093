/** `mesos.slave`: how the agent describes containers to its launcher and its checkpoint. Each message and enum is both an interface (or a union of strings) and the value that encodes and decodes it. */
export * from './generated/slave.ts';
