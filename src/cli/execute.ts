/** `mesos-execute`: one task, or one task group, with upstream's options. */
import { enableCompileCache } from 'node:module';
import { userInfo } from 'node:os';
import { MESOS_VERSION } from '../config/daemon-flags.ts';
import { readTextFile } from '../config/files.ts';
import type { FlagValues } from '../config/flag.ts';
import { loadFlags } from '../config/load.ts';
import { argvSource, environmentSource } from '../config/source.ts';
import { parseResources } from '../resources/parse.ts';
import type { ContainerInfo, FrameworkInfo_Capability, TaskInfo, TaskStatus } from '../wire/v1.ts';
import { executeFlags } from './execute-flags.ts';
import { describeStatus, isTerminal } from './run/outcome.ts';
import { type Planned, Session } from './run/session.ts';

enableCompileCache();

type Values = FlagValues<typeof executeFlags>;

/** What is wrong with the flags taken together. */
function check(values: Values): string | undefined {
  const { name, command, task, task_group } = values;
  if (task && task_group) return '--task and --task_group exclude each other: give one of them';
  if ((task || task_group) && (name !== undefined || command !== undefined)) {
    return '--name and --command are for a task that is described by flags; leave them out with --task and --task_group';
  }
  if (!task && !task_group && name === undefined) return '--name is required, unless --task or --task_group is given';
  if (!task && !task_group && command === undefined)
    return '--command is required, unless --task or --task_group is given';
  if (task_group) return '--task_group: task groups are not in this build; launch the tasks one by one with --task';
  if ((values.principal === undefined) !== (values.secret === undefined))
    return '--principal and --secret go together: give both or none';
  const resources = parseResources(values.resources);
  return resources.ok ? undefined : `--resources: ${resources.error}`;
}

function containerOf(values: Values): ContainerInfo | undefined {
  const { volumes, networks, rlimits, effective_capabilities, bounding_capabilities, tty } = values;
  const capabilities = effective_capabilities || bounding_capabilities;
  if (!volumes && networks === undefined && !rlimits && !capabilities && !tty) return undefined;
  return {
    type: 'MESOS',
    ...(volumes && { volumes }),
    ...(networks !== undefined && { network_infos: networks.split(',').map((name) => ({ name: name.trim() })) }),
    ...(rlimits && { rlimit_info: rlimits }),
    ...(capabilities && {
      linux_info: {
        ...(effective_capabilities && { effective_capabilities }),
        ...(bounding_capabilities && { bounding_capabilities }),
      },
    }),
    ...(tty && { tty_info: {} }),
  };
}

/** The task that the flags describe. */
function taskOf(values: Values): Omit<TaskInfo, 'agent_id' | 'resources'> {
  const variables = Object.entries(values.env ?? {}).map(([name, value]) => ({ name, type: 'VALUE' as const, value }));
  const words = values.shell ? undefined : values.command!.split(/\s+/).filter((word) => word !== '');
  const container = containerOf(values);
  return {
    name: values.name!,
    task_id: { value: values.name! },
    command: {
      shell: values.shell,
      value: words ? words[0]! : values.command!,
      ...(words && { arguments: words }),
      ...(variables.length > 0 && { environment: { variables } }),
    },
    ...(container && { container }),
  };
}

function plan(values: Values): Planned {
  if (values.task) {
    const { agent_id: _, resources, ...task } = values.task;
    const parsed = parseResources(JSON.stringify(resources ?? []));
    if (!parsed.ok) throw new Error(`--task: resources: ${parsed.error}`);
    return { task, resources: parsed.value };
  }
  const resources = parseResources(values.resources);
  if (!resources.ok) throw new Error(`--resources: ${resources.error}`);
  return { task: taskOf(values), resources: resources.value };
}

function capabilitiesOf(values: Values): readonly FrameworkInfo_Capability[] {
  const names = new Set(['MULTI_ROLE', 'RESERVATION_REFINEMENT', 'TASK_KILLING_STATE']);
  if (values.partition_aware) names.add('PARTITION_AWARE');
  for (const name of values.framework_capabilities?.split(',') ?? []) names.add(name.trim());
  return [...names].map((type) => ({ type: type as FrameworkInfo_Capability['type'] }));
}

function print(status: TaskStatus): void {
  process.stdout.write(
    `Received status update ${status.state} for task '${status.task_id.value}': ${describeStatus(status)}\n`,
  );
}

/** Runs the task to its end. @returns 0 when it finished, else 1 */
async function execute(values: Values): Promise<number> {
  const planned = plan(values);
  const id = planned.task.task_id.value;
  let killTimer: NodeJS.Timeout | undefined;
  const session = new Session({
    master: values.master,
    encoding: values.content_type,
    planned: [planned],
    framework: {
      user: userInfo().username,
      name: `mesos-execute instance`,
      roles: [values.role],
      checkpoint: values.checkpoint,
      capabilities: capabilitiesOf(values),
      ...(values.principal !== undefined && { principal: values.principal }),
    },
    ...(values.principal !== undefined && { credential: { principal: values.principal, secret: values.secret! } }),
    onLaunch: (_, offer) => process.stdout.write(`Submitted task '${id}' to agent '${offer.agent_id.value}'\n`),
    onStatus: (_, status) => {
      print(status);
      if (status.state === 'TASK_RUNNING' && values.kill_after !== undefined) {
        killTimer ??= setTimeout(() => void session.kill(), values.kill_after);
      }
      if (isTerminal(status.state)) clearTimeout(killTimer);
    },
    onRemark: (text) => process.stderr.write(`mesos-execute: ${text}\n`),
  });
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => void session.kill());
  const statuses = await session.run();
  return statuses.get(id)?.state === 'TASK_FINISHED' ? 0 : 1;
}

const outcome = loadFlags(
  { name: 'mesos-execute', version: MESOS_VERSION, flags: executeFlags, check },
  [argvSource(process.argv.slice(2)), environmentSource(process.env)],
  readTextFile,
);
if (outcome.kind === 'exit') {
  process.stdout.write(outcome.stdout);
  process.stderr.write(outcome.stderr);
  process.exitCode = outcome.code;
} else {
  for (const warning of outcome.flags.warnings) process.stderr.write(`mesos-execute: ${warning}\n`);
  try {
    process.exitCode = await execute(outcome.flags.values);
  } catch (error) {
    process.stderr.write(`mesos-execute: ${(error as Error).message}\n`);
    process.exitCode = 1;
  }
}
