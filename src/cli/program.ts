/** The `meseta` command. Each subcommand's code is loaded only when it is called: a short command starts fast. */
import { readFileSync } from 'node:fs';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { ListOptions } from './list.ts';
import { addMarathonCommands, reaching } from './marathon/commands.ts';
import type { CommonOptions } from './marathon/options.ts';
import type { RunCommandOptions } from './run.ts';
import { textOrFile } from './text-or-file.ts';
import type { UpOptions } from './up.ts';
import type { WhyOptions } from './why.ts';

const DEFAULT_MASTER = '127.0.0.1:5050';

function positive(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value < 0)
    throw new InvalidArgumentError('It has to be a number, 0 or more, such as 0.5.');
  return value;
}

function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('It has to be a whole number, 1 or more.');
  return value;
}

function port(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 65535)
    throw new InvalidArgumentError('It has to be a port, 1 to 65535.');
  return value;
}

function assignment(text: string, before: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('It has to be NAME=VALUE, such as GREETING=hello.');
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

const masterOption = (): Option =>
  new Option(
    '-m, --master <host:port>',
    'the master, several separated by commas, or zk://host:port,host:port/path, or file:///path',
  )
    .env('MESETA_MASTER')
    .argParser(textOrFile)
    .default(DEFAULT_MASTER);
const jsonOption = (): Option => new Option('--json', 'print JSON, one object a line');

/** Sets the exit status of the process to what a subcommand returns. */
function exitWith<A extends unknown[]>(action: (...args: A) => Promise<number>): (...args: A) => Promise<void> {
  return async (...args) => {
    process.exitCode = await action(...args);
  };
}

function daemon(program: Command, name: 'master' | 'agent'): void {
  program
    .command(name)
    .description(`start ${name === 'master' ? 'a master' : 'an agent'}, with the flags of mesos-${name}`)
    .helpOption(false)
    .allowUnknownOption()
    .allowExcessArguments()
    .action(async (_options: unknown, command: Command) => {
      const { runDaemon } = await import('./daemon.ts');
      await runDaemon(name, command.args);
    });
}

function addRun(program: Command): void {
  program
    .command('run')
    .description('run a command on the cluster, with its output here, and exit with its status')
    .argument('<command...>', 'the command and its arguments, after --')
    .addOption(masterOption())
    .option('--cpus <number>', 'processors for each instance', positive, 0.1)
    .option('--mem <MB>', 'memory for each instance', positive, 32)
    .option('--disk <MB>', 'disk for each instance', positive, 0)
    .option('--gpus <number>', 'GPUs for each instance', positive, 0)
    .option('-e, --env <NAME=VALUE>', 'an environment variable; may be given several times', assignment, {})
    .option('--name <name>', "the task's name (default: the command's)")
    .option('-n, --instances <number>', 'how many copies to run', count, 1)
    .option('--role <role>', 'the role to run in', '*')
    .option('--user <user>', 'the user to run as on the agent (default: the one who calls)')
    .option('--principal <name>', 'who you are to the master; needs --secret-file')
    .option('--secret-file <path>', "a file with the principal's secret")
    .passThroughOptions()
    .action(
      exitWith(async (words: string[], options: RunCommandOptions) => {
        const { runCommand } = await import('./run.ts');
        return runCommand(words, options);
      }),
    );
}

function addUp(program: Command): void {
  program
    .command('up')
    .description('start a cluster on this machine: a master, one or more agents and Marathon; Ctrl-C ends it')
    .option('-a, --agents <number>', 'how many agents', count, 1)
    .option('--port <port>', "the master's port; the agents take the next ones", port, 5050)
    .option('--ip <address>', 'the address to listen on', '127.0.0.1')
    .option('--work-dir <folder>', 'where sandboxes and logs go (default: a folder for temporary files)')
    .option('--resources <text>', "each agent's resources, such as cpus:4;mem:2048 (default: the machine's, divided)")
    .option('--attributes <text>', 'attributes of every agent, such as rack:r1;zone:eu')
    .option('--marathon-port <port>', "Marathon's port (default: 8080, or 3030 above the master's)", port)
    .option('--no-marathon', 'without Marathon')
    .action(
      exitWith(async (options: UpOptions) => {
        const { up } = await import('./up.ts');
        return up(options);
      }),
    );
}

function addLists(program: Command): void {
  for (const [name, about] of [
    ['tasks', 'list the tasks of the cluster'],
    ['agents', 'list the agents of the cluster'],
    ['frameworks', 'list the frameworks of the cluster'],
  ] as const) {
    program
      .command(name)
      .description(about)
      .addOption(masterOption())
      .addOption(jsonOption())
      .option('-a, --all', name === 'agents' ? 'also agents that are not active' : 'also those that have ended')
      .action(
        exitWith(async (options: ListOptions) => {
          const { list } = await import('./list.ts');
          return list(name, options);
        }),
      );
  }
}

function addRegistry(program: Command): void {
  const registry = program.command('registry').description('back up what masters must not forget, or move it');
  registry
    .command('export')
    .description('write what a registry holds to a file, or standard output; masters may be running')
    .argument('<from>', 'lmdb:FOLDER, or zk://host:port/path or file:///path as masters have it in --zk', textOrFile)
    .argument('[file]', 'the file; - for standard output')
    .action(
      exitWith(async (from: string, file: string | undefined) => {
        const { exportRegistry } = await import('./registry.ts');
        return exportRegistry(from, file === undefined ? {} : { file });
      }),
    );
  registry
    .command('import')
    .description('fill an empty registry from a file, or standard input; masters must not be running')
    .argument('<into>', 'lmdb:FOLDER, or zk://host:port/path or file:///path as masters have it in --zk', textOrFile)
    .argument('[file]', 'the file; - for standard input')
    .option('--force', 'replace what the registry holds')
    .action(
      exitWith(async (into: string, file: string | undefined, options: { force?: boolean }) => {
        const { importRegistry } = await import('./registry.ts');
        return importRegistry(into, { ...options, ...(file !== undefined && { file }) });
      }),
    );
}

function addWhy(program: Command): void {
  reaching(program.command('why'))
    .description('say why an app waits, why a framework or role is offered nothing, or what became of a task')
    .argument('<what>', 'the /id of an app or pod, the id or name of a framework, the id of a task, or a role')
    .addOption(masterOption())
    .addOption(jsonOption())
    .option('--framework <id or name>', 'for a task that was not launched yet: whose it is')
    .option('--needs <resources>', 'what a task needs, such as cpus:4;mem:1024: also say where it would not fit')
    .action(
      exitWith(async (what: string, options: WhyOptions & Omit<CommonOptions, 'output'>) => {
        if (what.startsWith('/')) {
          const { whyApp } = await import('./marathon/why.ts');
          return whyApp(what, { ...options, output: options.json ? 'json' : 'table' });
        }
        const { why } = await import('./why.ts');
        return why(what, options);
      }),
    );
}

function version(): string {
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return manifest.version;
}

function build(): Command {
  const program = new Command('meseta')
    .description('A datacenter that behaves like one computer.')
    .showHelpAfterError('(add --help for the options)')
    .enablePositionalOptions()
    .version(version(), '--version', 'print the version and end');
  addRun(program);
  addUp(program);
  addLists(program);
  addRegistry(program);
  addWhy(program);
  addMarathonCommands(program);
  daemon(program, 'master');
  daemon(program, 'agent');
  return program;
}

/** Runs the command line. What goes wrong is one sentence on stderr and exit status 1. */
export async function main(argv: readonly string[]): Promise<void> {
  try {
    await build().parseAsync([...argv], { from: 'user' });
  } catch (error) {
    process.stderr.write(`meseta: ${(error as Error).message}\n`);
    process.exitCode = 1;
  }
}
