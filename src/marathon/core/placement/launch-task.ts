/** The task of an app's instance, as the master is asked to launch it. */
import type { CommandInfo, DiscoveryInfo, Labels, Resource, TaskInfo } from '../../../wire/v1.ts';
import { taskName } from '../../definition/path-id.ts';
import { taskId } from '../../definition/task-id.ts';
import type { App } from '../../definition/types.ts';
import type { Context } from '../context.ts';
import type { Instance } from '../model.ts';
import { enforcesRole } from '../tree/groups.ts';
import { checkInfo, healthCheckInfo } from './checks.ts';
import { containerInfo } from './container.ts';
import { contextVariables, environment, type PortFacts, portVariables } from './environment.ts';
import type { OpenOffer } from './open-offer.ts';
import type { Launch } from './result.ts';

export interface TaskRequest {
  readonly offer: OpenOffer;
  readonly instance: Instance;
  readonly app: App;
  readonly resources: readonly Resource[];
  /** In the order of the app's ports. */
  readonly hostPorts: readonly (number | null)[];
}

/** Ports of containers that are to be chosen begin here. */
const FIRST_DYNAMIC = 1025;

export function launchTask(ctx: Context, request: TaskRequest): Launch {
  const { instance, offer, hostPorts } = request;
  const id = taskId(instance.id, instance.incarnation + 1);
  const info = taskInfo(ctx, request, id);
  return {
    kind: 'launch',
    operations: [{ type: 'LAUNCH', launch: { task_infos: [{ ...info, agent_id: offer.offer.agent_id }] } }],
    tasks: [{ id, condition: 'Provisioned', stagedAt: ctx.env.wall, hostPorts }],
  };
}

/** Everything about the task. */
export function taskInfo(ctx: Context, { app, offer, resources, hostPorts }: TaskRequest, id: string): TaskInfo {
  const ports = portsOf(app, hostPorts, ctx.env.random);
  const command = commandInfo(ctx, app, offer, ports, id);
  const isCustom = app.executor !== '' && app.executor !== '//cmd';
  const health = healthCheckInfo(app, ports);
  const check = checkInfo(app, ports);
  const container = containerInfo(ctx, app, ports, hostPorts, id);
  const grace = app.taskKillGracePeriodSeconds;
  return {
    name: taskName(app.id),
    task_id: { value: id },
    agent_id: offer.offer.agent_id,
    resources,
    ...(isCustom ? { executor: customExecutor(app, command, container, id) } : { command }),
    ...(container && !isCustom && { container }),
    ...(health && { health_check: health }),
    ...(check && { check }),
    ...(grace !== undefined && { kill_policy: { grace_period: { nanoseconds: grace * 1_000_000_000 } } }),
    labels: labels(app.labels),
    discovery: discovery(app, ports),
    ...limits(app),
  };
}

function portsOf(app: App, hostPorts: readonly (number | null)[], random: () => number): readonly PortFacts[] {
  if (app.portDefinitions !== undefined) {
    return app.portDefinitions.map(({ port, name }, at) => ({
      requested: port,
      ...(name !== undefined && { name }),
      effective: hostPorts[at] ?? port,
    }));
  }
  return (app.container?.portMappings ?? []).map(({ containerPort, name }, at) => ({
    requested: containerPort,
    ...(name !== undefined && { name }),
    effective: hostPorts[at] ?? (containerPort === 0 ? dynamicPort(random) : containerPort),
  }));
}

/** A container with a network of its own can have any port. */
function dynamicPort(random: () => number): number {
  return FIRST_DYNAMIC + Math.floor(random() * (65_536 - FIRST_DYNAMIC));
}

function commandInfo(
  { options, state }: Context,
  app: App,
  { placement }: OpenOffer,
  ports: readonly PortFacts[],
  id: string,
): CommandInfo {
  const prefix = options.envVarsPrefix;
  const variables = {
    [`${prefix}HOST`]: placement.host,
    ...contextVariables(app, id, enforcesRole(state.root, app.id)),
    ...portVariables(ports, prefix),
  };
  const uris = app.fetch.map(({ uri, extract, executable, cache, destPath }) => ({
    value: uri,
    extract,
    executable,
    cache,
    ...(destPath !== undefined && { output_file: destPath }),
  }));
  return {
    ...run(app),
    environment: environment(variables, app.env, app.secrets),
    ...(uris.length > 0 && { uris }),
    ...(app.user !== undefined && { user: app.user }),
  };
}

/** A line for the shell, arguments for what an image starts, a program with its arguments, or whatever the image says. */
function run(app: App): Pick<CommandInfo, 'shell' | 'value' | 'arguments'> {
  if (app.cmd !== undefined) return { shell: true, value: app.cmd };
  if (app.args.length === 0) return { shell: false };
  if (app.container?.docker !== undefined) return { shell: false, arguments: app.args };
  return { shell: false, value: app.args[0]!, arguments: app.args };
}

function customExecutor(app: App, command: CommandInfo, container: TaskInfo['container'], id: string) {
  const { cpus = 0.1, mem = 32, disk = 10 } = app.executorResources ?? {};
  const scalar = (name: string, value: number): Resource => ({
    name,
    type: 'SCALAR',
    scalar: { value },
    role: '*',
    allocation_info: { role: app.role },
  });
  return {
    executor_id: { value: `marathon-${id}` },
    command: {
      ...command,
      shell: true,
      value: `chmod ug+rx '${app.executor}' && exec '${app.executor}' ${app.cmd ?? ''}`,
    },
    ...(container && { container }),
    ...(app.executorResources && { resources: [scalar('cpus', cpus), scalar('mem', mem), scalar('disk', disk)] }),
  };
}

function labels(all: Readonly<Record<string, string>>): Labels {
  return { labels: Object.entries(all).map(([key, value]) => ({ key, value })) };
}

function discovery(app: App, ports: readonly PortFacts[]): DiscoveryInfo {
  const definitions = app.portDefinitions ?? app.container?.portMappings ?? [];
  return {
    visibility: 'FRAMEWORK',
    name: taskName(app.id),
    ports: {
      ports: definitions.flatMap(({ protocol, name, labels: own }, at) =>
        protocol.split(',').map((one) => ({
          number: ports[at]!.effective,
          protocol: one,
          ...(name !== undefined && { name }),
          ...(Object.keys(own).length > 0 && { labels: labels(own) }),
        })),
      ),
    },
  };
}

/** Room above what is requested. */
function limits({ resourceLimits }: App): object {
  if (resourceLimits === undefined) return {};
  const entries = Object.entries(resourceLimits).flatMap(([name, limit]) =>
    limit === undefined ? [] : [[name, { value: limit === 'unlimited' ? Number.POSITIVE_INFINITY : limit }] as const],
  );
  return entries.length === 0 ? {} : { limits: Object.fromEntries(entries) };
}
