/** `npm run bench -- NAME…`: measures, and says what it measured on. Nothing is asserted. */
import { fork } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArguments, USAGE } from './arguments.ts';
import { loadScenario, scenarioNames } from './catalog.ts';
import { formatMachine, formatTable, jsonLine, machineShape } from './report.ts';
import { type Row, summarize } from './statistics.ts';
import type { WorkerMessage } from './worker.ts';

const WORKER = fileURLToPath(new URL('worker.ts', import.meta.url));

/** Runs one scenario in a process of its own. @throws Error when that process fails */
async function runAlone(name: string, runs: number, profile: string | undefined): Promise<Row[]> {
  const { flags: own = [] } = await loadScenario(name);
  const flags = ['--expose-gc', '--disable-warning=ExperimentalWarning', ...own];
  if (profile !== undefined) flags.push('--cpu-prof', `--cpu-prof-dir=${profile}`);
  // Node parses this bundle at every start, which costs more than the rest of the start together.
  const { NODE_EXTRA_CA_CERTS: _slow, ...env } = process.env;
  if (profile !== undefined) env.MESETA_BENCH_PROFILE = profile;
  const child = fork(WORKER, [name, String(runs)], { execArgv: flags, env });
  return new Promise((resolve, reject) => {
    let rows: Row[] | undefined;
    child.on('message', (message: WorkerMessage) => {
      if (message.kind === 'done') rows = summarize(name, message.runs, message.rssBytes);
      else showProgress(`${name}: ${message.text}`);
    });
    child.once('error', reject);
    child.once('exit', (status, signal) => {
      showProgress('');
      if (status === 0 && rows !== undefined) resolve(rows);
      else reject(new Error(`its process ended with ${signal ?? `status ${status}`}; what it said stands above`));
    });
  });
}

/** On a terminal only, on one line that the next one replaces. */
function showProgress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

async function list(): Promise<void> {
  process.stdout.write(`${USAGE}\nScenarios:\n`);
  const names = scenarioNames();
  const width = Math.max(...names.map((name) => name.length));
  for (const name of names) process.stdout.write(`  ${name.padEnd(width)}  ${(await loadScenario(name)).about}\n`);
}

async function main(): Promise<number> {
  const given = parseArguments(process.argv.slice(2), scenarioNames());
  if (!given.ok) {
    process.stderr.write(`bench: ${given.error}\n`);
    return 2;
  }
  const { names, runs, json, help, profile } = given.value;
  if (help || names.length === 0) {
    await list();
    return 0;
  }
  if (profile !== undefined) mkdirSync(profile, { recursive: true });
  const machine = `${formatMachine(machineShape())}\n`;
  (json ? process.stderr : process.stdout).write(machine);
  const all: Row[] = [];
  let failed = false;
  for (const name of names) {
    try {
      const rows = await runAlone(name, runs, profile === undefined ? undefined : resolve(profile));
      if (json) for (const row of rows) process.stdout.write(`${jsonLine(row)}\n`);
      all.push(...rows);
    } catch (error) {
      failed = true;
      process.stderr.write(`bench: ${name} failed: ${(error as Error).message}\n`);
    }
  }
  if (!json && all.length > 0) process.stdout.write(`\n${formatTable(all)}`);
  return failed ? 1 : 0;
}

process.exitCode = await main();
