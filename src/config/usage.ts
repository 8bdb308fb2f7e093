import type { Flag, FlagTable } from './flag.ts';

const COLUMN = 44;
const WIDTH = 120;

/** The text of `--help`: every flag with its default, in alphabetical order. */
export function usage(program: string, table: FlagTable): string {
  const lines = [`Usage: ${program} [options]`, ''];
  for (const name of Object.keys(table).sort()) lines.push(...entry(name, table[name]!));
  lines.push(
    '',
    'Every flag can also be given in the environment as MESOS_<FLAG>; the command line wins. A value file:///path is',
    'read from that file. Durations: a number and ns, us, ms, secs, mins, hrs, days or weeks. Sizes: B, KB, MB, GB, TB.',
  );
  return `${lines.join('\n')}\n`;
}

function entry(name: string, flag: Flag<unknown>): string[] {
  const written = flag.kind.boolean ? `--[no-]${name}` : `--${name}=VALUE`;
  const notes = [flag.help];
  if (flag.kind.name !== 'text' && !flag.kind.boolean) notes.push(`(${flag.kind.name})`);
  if (flag.required) notes.push('(required)');
  if (flag.fallback !== undefined) notes.push(`(default: ${flag.fallback})`);
  if (flag.aliases) notes.push(`(also, deprecated: ${flag.aliases.map((alias) => `--${alias}`).join(', ')})`);
  if (flag.missing) notes.push('(not in this build)');
  const text = wrap(notes.join(' '), WIDTH - COLUMN);
  const head = `  ${written}`;
  const fits = head.length + 2 <= COLUMN;
  const indented = text.map((line) => `${' '.repeat(COLUMN)}${line}`);
  return fits ? [head.padEnd(COLUMN) + (text[0] ?? ''), ...indented.slice(1)] : [head, ...indented];
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  if (line !== '') lines.push(line);
  return lines;
}
