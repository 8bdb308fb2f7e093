/** `mesos.v1.allocator`: answers to inverse offers. Each message and enum is both an interface (or a union of strings) and the value that encodes and decodes it. */
export * from './generated/v1_allocator.ts';
