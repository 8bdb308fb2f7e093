import { formatResources, Resources } from '../resources/resources.ts';
import { mastersOf } from '../sdk/leader.ts';
import { answeringMaster, callMaster } from '../sdk/master-operator.ts';
import type { Resource } from '../wire/v1.ts';
import type { Call, Response } from '../wire/v1_master.ts';
import { formatTable } from './table.ts';

type What = 'tasks' | 'agents' | 'frameworks';

export interface ListOptions {
  readonly master: string;
  readonly json?: boolean;
  readonly all?: boolean;
}

interface Listing {
  readonly call: Call;
  readonly heading: readonly string[];
  /** One row of cells an entry, with the entry itself for --json. */
  readonly rows: (response: Response, all: boolean) => readonly { cells: readonly string[]; entry: unknown }[];
}

/** Resources in text form; a dash for none. */
function shown(list: readonly Resource[] | undefined): string {
  const resources = Resources.of(list ?? []).unallocate();
  return resources.isEmpty ? '-' : formatResources(resources);
}

const LISTINGS: Readonly<Record<What, Listing>> = {
  tasks: {
    call: { type: 'GET_TASKS' },
    heading: ['ID', 'NAME', 'STATE', 'AGENT', 'RESOURCES', 'FRAMEWORK'],
    rows: ({ get_tasks }, all) =>
      [
        ...(get_tasks?.tasks ?? []),
        ...(get_tasks?.unreachable_tasks ?? []),
        ...(all ? (get_tasks?.completed_tasks ?? []) : []),
      ].map((task) => ({
        cells: [
          task.task_id.value,
          task.name,
          task.state,
          task.agent_id.value,
          shown(task.resources),
          task.framework_id.value,
        ],
        entry: task,
      })),
  },
  agents: {
    call: { type: 'GET_AGENTS' },
    heading: ['ID', 'HOST', 'PORT', 'STATE', 'RESOURCES', 'ALLOCATED'],
    rows: ({ get_agents }, all) =>
      (get_agents?.agents ?? [])
        .filter((agent) => all || agent.active)
        .map((agent) => ({
          cells: [
            agent.agent_info.id?.value ?? '',
            agent.agent_info.hostname,
            String(agent.agent_info.port ?? ''),
            agent.active ? 'active' : 'inactive',
            shown(agent.total_resources),
            shown(agent.allocated_resources),
          ],
          entry: agent,
        })),
  },
  frameworks: {
    call: { type: 'GET_FRAMEWORKS' },
    heading: ['ID', 'NAME', 'USER', 'STATE', 'ROLES'],
    rows: ({ get_frameworks }, all) =>
      [
        ...(get_frameworks?.frameworks ?? []).map((framework) => ({
          framework,
          state: framework.active ? 'active' : framework.connected ? 'inactive' : 'disconnected',
        })),
        ...(all ? (get_frameworks?.completed_frameworks ?? []) : []).map((framework) => ({
          framework,
          state: 'ended',
        })),
      ].map(({ framework, state }) => {
        const info = framework.framework_info;
        const roles = (info.roles ?? [info.role ?? '*']).join(',');
        return { cells: [info.id?.value ?? '', info.name, info.user, state, roles], entry: framework };
      }),
  },
};

/** `meseta tasks|agents|frameworks`: a table for people, or with `--json` one object a line. */
export async function list(what: What, options: ListOptions): Promise<number> {
  const masters = await mastersOf(options.master, 5050);
  if (!masters.ok) throw new Error(`--master: ${masters.error}`);
  const { call, heading, rows } = LISTINGS[what];
  const response = await callMaster(await answeringMaster(masters.value), call);
  const entries = rows(response, options.all === true);
  if (options.json) for (const { entry } of entries) process.stdout.write(`${JSON.stringify(entry)}\n`);
  else if (entries.length === 0) process.stderr.write(`No ${what}.${options.all ? '' : ' (--all lists more.)'}\n`);
  else process.stdout.write(formatTable([heading, ...entries.map(({ cells }) => cells)]));
  return 0;
}
