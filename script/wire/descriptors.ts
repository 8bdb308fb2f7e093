import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createFileRegistry, fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';

export type Registry = ReturnType<typeof createFileRegistry>;

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The descriptors of all of proto/, compiled by buf (which needs no network for it). */
export function readDescriptors(): Registry {
  const buf = join(root, 'node_modules/.bin/buf');
  const set = execFileSync(buf, ['build', join(root, 'proto'), '-o', '-#format=binpb'], { maxBuffer: 1 << 26 });
  return createFileRegistry(fromBinary(FileDescriptorSetSchema, set));
}
