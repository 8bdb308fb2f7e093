import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { validateId } from '../base/ids.ts';
import type { Credential } from '../sdk/exchange.ts';
import { requestedResources, run } from './run/run.ts';
import { planTasks } from './run/task.ts';

export interface RunCommandOptions {
  readonly master: string;
  readonly cpus: number;
  readonly mem: number;
  readonly disk: number;
  readonly gpus: number;
  readonly env: Readonly<Record<string, string>>;
  readonly name?: string;
  readonly instances: number;
  readonly role: string;
  readonly user?: string;
  readonly principal?: string;
  readonly secretFile?: string;
}

function credentialOf(options: RunCommandOptions): Credential | undefined {
  const { principal, secretFile } = options;
  if (principal === undefined && secretFile === undefined) return undefined;
  if (principal === undefined || secretFile === undefined)
    throw new Error('--principal and --secret-file go together: give both or none');
  return { principal, secret: readFileSync(secretFile, 'utf8').replace(/\r?\n$/, '') };
}

/** `meseta run`. @returns the exit status: the task's own, 130 after Ctrl-C, 1 when it could not be run */
export async function runCommand(words: readonly string[], options: RunCommandOptions): Promise<number> {
  const name = options.name ?? basename(words[0]!);
  const valid = validateId(name, '--name');
  if (!valid.ok) throw new Error(valid.error);
  const resources = requestedResources(options);
  if (resources.isEmpty)
    throw new Error('a task needs resources: give --cpus, --mem, --disk or --gpus a value above 0');
  const credential = credentialOf(options);
  return run({
    master: options.master,
    name,
    user: options.user,
    role: options.role,
    planned: planTasks({
      command: words,
      name,
      instances: options.instances,
      resources,
      environment: options.env,
      ...(options.user !== undefined && { user: options.user }),
    }),
    terminal: {
      out: (bytes) => process.stdout.write(bytes),
      error: (bytes) => process.stderr.write(bytes),
      live: process.stderr.isTTY === true,
    },
    ...(credential && { credential }),
    onInterrupt: (handler) => {
      process.on('SIGINT', handler);
      process.on('SIGTERM', handler);
    },
  });
}
