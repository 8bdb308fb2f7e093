/** `mesos.v1.resource_provider`: the resource provider API. Each message and enum is both an interface (or a union of strings) and the value that encodes and decodes it. */
export * from './generated/v1_resource_provider.ts';
