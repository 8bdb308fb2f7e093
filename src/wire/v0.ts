/** `mesos`: what version 0 has and v1 has not: access control lists, modules, URIs. Each message and enum is both an interface (or a union of strings) and the value that encodes and decodes it. */
export * from './generated/v0.ts';
