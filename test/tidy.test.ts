import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { test } from 'node:test';
import ts from 'typescript';

const MAX_FILE_LINES = 500;
const MAX_FUNCTION_LINES = 60;
const BANNED_NAMES = /(^|[-_./])(utils?|helpers?|common|misc|manager)([-_./]|$)/i;

interface Waivers {
  readonly files: Readonly<Record<string, number>>;
  readonly functions: Readonly<Record<string, number>>;
}
/** What was too long on the day a rule came in: entries may go or shrink, never come or grow. */
const waivers = JSON.parse(readFileSync(new URL('./tidy-waivers.json', import.meta.url), 'utf8')) as Waivers;

const root = new URL('..', import.meta.url).pathname;
const tracked = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((path) => path !== '');
const sources = tracked.filter((path) => /\.(ts|tsx|mjs)$/.test(path) && !path.includes('/generated/'));

function countLines(text: string): number {
  return text.endsWith('\n') ? text.split('\n').length - 1 : text.split('\n').length;
}

/** The functions of one file with their lengths in lines. A test's body is a story, told in one piece: not counted. */
function functionsOf(path: string, text: string): { name: string; lines: number }[] {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true);
  const found: { name: string; lines: number }[] = [];
  const visit = (node: ts.Node, name: string): void => {
    const named = (node as { name?: ts.Node }).name;
    const label = named && ts.isIdentifier(named) ? named.text : name;
    if (ts.isFunctionLike(node) && 'body' in node && node.body) {
      const first = source.getLineAndCharacterOfPosition(node.getStart(source)).line;
      const last = source.getLineAndCharacterOfPosition(node.getEnd()).line;
      found.push({ name: `${path}:${label}`, lines: last - first + 1 });
    }
    ts.forEachChild(node, (child) => visit(child, label));
  };
  visit(source, '(module)');
  return found;
}

test(`no source file is longer than ${MAX_FILE_LINES} lines`, () => {
  assert.ok(sources.length > 0, 'the test sees the sources');
  const long = sources
    .map((path) => ({ path, lines: countLines(readFileSync(root + path, 'utf8')) }))
    .filter(({ path, lines }) => lines > (waivers.files[path] ?? MAX_FILE_LINES));
  assert.deepEqual(long, [], 'split these by meaning');
});

test(`no function is longer than ${MAX_FUNCTION_LINES} lines`, () => {
  const long = sources
    .filter((path) => !path.endsWith('.test.ts'))
    .flatMap((path) => functionsOf(path, readFileSync(root + path, 'utf8')))
    .filter(({ name, lines }) => lines > (waivers.functions[name] ?? MAX_FUNCTION_LINES));
  assert.deepEqual(long, [], 'give the parts names of their own');
});

test('every waiver is still needed', () => {
  for (const path of Object.keys(waivers.files)) {
    assert.ok(
      sources.includes(path) && countLines(readFileSync(root + path, 'utf8')) > MAX_FILE_LINES,
      `${path}: remove it from test/tidy-waivers.json`,
    );
  }
  for (const [name] of Object.entries(waivers.functions)) {
    const path = name.slice(0, name.lastIndexOf(':'));
    const longest = sources.includes(path)
      ? Math.max(
          0,
          ...functionsOf(path, readFileSync(root + path, 'utf8'))
            .filter((f) => f.name === name)
            .map((f) => f.lines),
        )
      : 0;
    assert.ok(longest > MAX_FUNCTION_LINES, `${name}: remove it from test/tidy-waivers.json`);
  }
});

test('no file has a name that says nothing', () => {
  const bad = sources.filter(
    (path) =>
      BANNED_NAMES.test(basename(path)) ||
      path
        .split('/')
        .slice(0, -1)
        .some((part) => BANNED_NAMES.test(part)),
  );
  assert.deepEqual(bad, [], 'name files after what they hold: utils, helpers, common, misc and manager hold anything');
});
