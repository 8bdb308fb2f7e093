/**
 * Writes src/wire/generated/ from proto/: one TypeScript module per protobuf package, with interfaces, codecs and field lists.
 * With --check it writes nothing and fails if what is there is not what it would write.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readDescriptors } from './wire/descriptors.ts';
import { emitModule } from './wire/emit.ts';
import { readModules } from './wire/read.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const target = join(root, 'src/wire/generated');

function generate(): Map<string, string> {
  return new Map(readModules(readDescriptors()).map((module) => [`${module.name}.ts`, emitModule(module)]));
}

function present(): Map<string, string> {
  mkdirSync(target, { recursive: true });
  return new Map(readdirSync(target).map((name) => [name, readFileSync(join(target, name), 'utf8')]));
}

const wanted = generate();
const found = present();
const stale = [...new Set([...wanted.keys(), ...found.keys()])].filter((name) => wanted.get(name) !== found.get(name));

if (process.argv.includes('--check')) {
  if (stale.length > 0) {
    process.stderr.write(
      `src/wire/generated is not what proto/ says (${stale.join(', ')}): run node script/generate-wire.ts\n`,
    );
    process.exitCode = 1;
  }
} else {
  for (const name of stale) {
    const text = wanted.get(name);
    if (text === undefined) rmSync(join(target, name));
    else writeFileSync(join(target, name), text);
  }
  process.stdout.write(`${wanted.size} modules, ${stale.length} of them new or changed\n`);
}
