/** `mesos.v1`: the vocabulary of API v1. Each message and enum is both an interface (or a union of strings) and the value that encodes and decodes it. */
export * from './generated/v1.ts';
