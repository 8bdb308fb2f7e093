/** `meseta why`: why a framework, a role or a task gets nothing. */
import type { Address } from '../sdk/core/address.ts';
import { CallRefused } from '../sdk/errors.ts';
import { mastersOf } from '../sdk/leader.ts';
import { getFromMaster } from '../sdk/master-get.ts';
import { answeringMaster, callMaster } from '../sdk/master-operator.ts';
import type { Response_GetFrameworks } from '../wire/v1_master.ts';
import type { WhyAnswer, WhyFramework } from './why-answer.ts';
import { parseNeeds, roomFor, roomText } from './why-needs.ts';
import { count, frameworkText } from './why-text.ts';

export interface WhyOptions {
  readonly master: string;
  readonly json?: boolean;
  /** The framework that should have launched the task: its id or its name. */
  readonly framework?: string;
  /** Resources in text form. */
  readonly needs?: string;
}

/** What the one word on the command line turns out to be. */
interface Question {
  readonly framework_id?: string;
  readonly role?: string;
  readonly task_id?: string;
}

/** @returns 0; what is not known is an error */
export async function why(what: string, options: WhyOptions): Promise<number> {
  const masters = await mastersOf(options.master, 5050);
  if (!masters.ok) throw new Error(`--master: ${masters.error}`);
  const needs = options.needs === undefined ? undefined : parseNeeds(options.needs);
  const address = await answeringMaster(masters.value);
  const answers = await answersTo(address, what, options);
  if (options.json) {
    for (const answer of answers) process.stdout.write(`${JSON.stringify(answer)}\n`);
    return 0;
  }
  const agents = needs && (await callMaster(address, { type: 'GET_AGENTS' })).get_agents?.agents;
  const parts: string[] = [];
  for (const answer of answers) {
    for (const { sentence } of answer.tasks ?? []) parts.push(`${sentence}.\n`);
    if (answer.tasks !== undefined && answer.tasks.length > 0) continue;
    if (answer.sentence !== undefined) parts.push(`${answer.sentence}.\n`);
    if (answer.paused !== undefined) parts.push(`${answer.paused}.\n`);
    for (const framework of answer.frameworks) {
      parts.push(frameworkText(framework));
      if (needs === undefined) continue;
      for (const role of framework.roles) parts.push(roomText(needs, role, roomFor(needs, role.role, agents ?? [])));
    }
    if (answer.more_frameworks) parts.push(`${count(answer.more_frameworks, 'more framework')} subscribed to it.\n`);
    if (answer.frameworks.length === 0) parts.push(`No framework subscribes to the role ${what}.\n`);
  }
  process.stdout.write(parts.join('\n'));
  return 0;
}

/** Frameworks are looked for first, then tasks, then roles. @throws Error when it is none of these */
async function answersTo(address: Address, what: string, options: WhyOptions): Promise<WhyAnswer[]> {
  const { get_frameworks: known = {} } = await callMaster(address, { type: 'GET_FRAMEWORKS' });
  if (options.framework !== undefined) {
    const ids = frameworksCalled(known, options.framework);
    if (ids.length === 0) throw new Error(`--framework: no framework has the id or name '${options.framework}'`);
    return Promise.all(ids.map((framework_id) => ask(address, { framework_id, task_id: what })));
  }
  const ids = frameworksCalled(known, what);
  if (ids.length > 0) return Promise.all(ids.map((framework_id) => ask(address, { framework_id })));
  const answer = await ask(address, { task_id: what });
  if (answer.tasks !== undefined && answer.tasks.length > 0) return [answer];
  try {
    return [await ask(address, { role: what })];
  } catch (error) {
    if (!(error instanceof CallRefused) || error.status !== 400) throw error;
    throw new Error(
      `no framework, task or role is called '${what}'; 'meseta frameworks --all' and 'meseta tasks --all' list them. ` +
        'For a task that was not launched yet, say with --framework whose it is',
    );
  }
}

async function ask(address: Address, question: Question): Promise<WhyAnswer> {
  const answer = (await getFromMaster(address, '/master/allocator/why', { ...question })) as WhyAnswer;
  return { ...answer, frameworks: sorted(answer.frameworks) };
}

function sorted(frameworks: readonly WhyFramework[]): readonly WhyFramework[] {
  return [...frameworks].sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** By id; else those of this name, and if none is there, those that have ended. */
function frameworksCalled(known: Response_GetFrameworks, what: string): string[] {
  const present = (known.frameworks ?? []).map(({ framework_info }) => framework_info);
  const ended = (known.completed_frameworks ?? []).map(({ framework_info }) => framework_info);
  for (const found of [
    [...present, ...ended].filter(({ id }) => id?.value === what),
    present.filter(({ name }) => name === what),
    ended.filter(({ name }) => name === what),
  ]) {
    if (found.length > 0) return found.flatMap(({ id }) => id?.value ?? []);
  }
  return [];
}
