/** What changes between two definitions: whether tasks have to be started anew, only counted, or cannot change so at all. */
import { appFields } from './app-fields.ts';
import { appDocument } from './app-form.ts';
import { podFields, schedulingFields } from './pod-fields.ts';
import { podDocument } from './pod-form.ts';
import { type Fields, sameValue } from './record.ts';
import { brokenIf, FINE } from './rule.ts';
import type { App, Pod, Problem, RunSpec } from './types.ts';

/** Whether running tasks are out of date with the new definition. Apps and pods never become each other. */
export function isUpgrade(before: RunSpec, after: RunSpec): boolean {
  if (before === after) return false;
  if (before.kind === 'app' && after.kind === 'app')
    return needsRestart(appFields, appDocument(before), appDocument(after));
  if (before.kind !== 'pod' || after.kind !== 'pod') return true;
  const [from, to] = [podDocument(before), podDocument(after)];
  return (
    needsRestart(podFields, from, to) || needsRestart(schedulingFields, from.scheduling ?? {}, to.scheduling ?? {})
  );
}

function needsRestart(fields: Fields, before: object, after: object): boolean {
  const [from, to] = [before as Readonly<Record<string, unknown>>, after as Readonly<Record<string, unknown>>];
  return Object.entries(fields).some(([name, { onChange, kind }]) => {
    if (onChange !== 'restart') return false;
    return kind.isSet === true ? !sameSet(from[name], to[name]) : !sameValue(from[name], to[name]);
  });
}

function sameSet(a: unknown, b: unknown): boolean {
  if (!Array.isArray(a) || !Array.isArray(b)) return sameValue(a, b);
  return a.length === b.length && a.every((each) => b.some((other) => sameValue(each, other)));
}

/** Whether its instances have volumes of their own, and come back to them. */
export function isResident(spec: RunSpec): boolean {
  const volumes = spec.kind === 'app' ? (spec.container?.volumes ?? []) : spec.volumes;
  return volumes.some(({ kind }) => kind === 'persistent');
}

/** Why a definition with persistent volumes cannot become another: what is reserved for its instances cannot change. */
export function rejectedChange(before: RunSpec, after: RunSpec): readonly Problem[] {
  if (!isResident(before) && !isResident(after)) return FINE;
  const over = after.upgradeStrategy.maximumOverCapacity;
  return [
    ...(before.kind === 'app' && after.kind === 'app' ? rejectedAppChange(before, after) : FINE),
    ...(before.kind === 'pod' && after.kind === 'pod' ? rejectedPodChange(before, after) : FINE),
    ...brokenIf(
      over !== 0,
      '/upgradeStrategy/maximumOverCapacity',
      `got ${over}, expected 0.0: a second instance could not have the volumes`,
    ),
  ];
}

const NEW_SERVICE = 'If you need to make this change, please create a new service.';

function rejectedAppChange(before: App, after: App): readonly Problem[] {
  const volumes = ({ container }: App): readonly unknown[] =>
    container?.volumes.filter(({ kind }) => kind === 'persistent') ?? [];
  const why = `Services with persistent volumes configured may not change resource requirements. ${NEW_SERVICE}`;
  return [
    ...brokenIf(!sameSet(volumes(before), volumes(after)), '/', 'Persistent volumes can not be changed!'),
    ...(['cpus', 'mem', 'disk', 'gpus', 'requirePorts'] as const).flatMap((name) =>
      brokenIf(before[name] !== after[name], `/${name}`, `${why} It is ${before[name]}, not ${after[name]}.`),
    ),
    ...brokenIf(
      !sameSet(hostPorts(before), hostPorts(after)),
      '/',
      `Services with persistent volumes configured may not change host ports. ${NEW_SERVICE}`,
    ),
  ];
}

/** Ports that are reserved by number. Without requirePorts, those on the host's network are only service ports. */
function hostPorts({ container, portDefinitions = [], requirePorts }: App): readonly number[] {
  const mapped = (container?.portMappings ?? []).flatMap(({ hostPort }) => hostPort ?? []);
  const ports = mapped.length > 0 || !requirePorts ? mapped : portDefinitions.map(({ port }) => port);
  return [...new Set(ports)];
}

function rejectedPodChange(before: Pod, after: Pod): readonly Problem[] {
  const volumes = (pod: Pod): readonly unknown[] => pod.volumes.filter(({ kind }) => kind === 'persistent');
  const ports = ({ containers }: Pod): readonly unknown[] => [
    ...new Set(containers.flatMap(({ endpoints }) => endpoints.flatMap(({ hostPort }) => hostPort ?? []))),
  ];
  return [
    ...brokenIf(!sameSet(volumes(before), volumes(after)), '/', 'persistent volumes cannot be updated'),
    ...(['cpus', 'mem', 'disk', 'gpus'] as const).flatMap((name) =>
      brokenIf(
        total(before, name) !== total(after, name),
        '/',
        `${name} cannot be updated if a pod has persistent volumes: it is ${total(before, name)}, not ${total(after, name)}`,
      ),
    ),
    ...brokenIf(
      !sameSet(ports(before), ports(after)),
      '/',
      'host ports cannot be updated if a pod has persistent volumes',
    ),
  ];
}

/** Of all containers and the executor, in thousandths: sums of fractions are exact so. */
function total({ containers, executorResources }: Pod, name: 'cpus' | 'mem' | 'disk' | 'gpus'): number {
  const own = name === 'gpus' ? 0 : executorResources[name];
  const amounts = [own, ...containers.map(({ resources }) => resources[name])];
  return amounts.reduce((sum, amount) => sum + Math.round(amount * 1000), 0) / 1000;
}
