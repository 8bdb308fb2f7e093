/** Readiness checks: asked only while a deployment waits, until the first yes. */
import type { ReadinessCheck } from '../definition/types.ts';
import type { Context } from './context.ts';
import type { ProbeResult } from './events.ts';
import { alter } from './instances.ts';
import type { Instance } from './model.ts';
import { addressOf } from './where.ts';

const PREFIX = 'ready ';
/** What is shown where nobody answers. */
const NO_ANSWER = 504;

/** An instance runs: if a deployment holds its app, it is asked from now on whether it is ready. */
export function watchReadiness(ctx: Context, instance: Instance): void {
  if (checkOf(instance) === undefined || instance.ready === true) return;
  if (!ctx.state.locks.has(instance.specId)) return;
  askWhetherReady(ctx, instance.id);
}

/** @returns the instance that a timer stands for, if it is one of ours */
export function readinessTimer(key: string): string | undefined {
  return key.startsWith(PREFIX) ? key.slice(PREFIX.length) : undefined;
}

/** Asks once; another time follows if the answer is no. */
export function askWhetherReady({ state, emit }: Context, instanceId: string): void {
  const instance = state.instances.get(instanceId);
  const check = instance && checkOf(instance);
  if (instance === undefined || check === undefined || instance.condition !== 'Running' || instance.ready) return;
  const probe = `ready/${instanceId}`;
  if (state.probes.has(probe)) return;
  const port = portNamed(instance, check.portName);
  const host = instance.spec.kind === 'app' ? addressOf(instance, instance.spec) : undefined;
  if (port === undefined || host === undefined) return;
  state.probes.set(probe, { instanceId, version: instance.spec.version });
  emit({
    kind: 'probe',
    probe,
    target: {
      protocol: check.protocol,
      host,
      port,
      path: check.path,
      goodStatuses: check.httpStatusCodesForReady,
      wantsResponse: check.preserveLastResponse,
    },
    timeout: check.timeoutSeconds * 1000,
  });
}

/** What came of asking. */
export function takeReadiness(ctx: Context, instance: Instance, result: ProbeResult): void {
  const check = checkOf(instance);
  if (check === undefined) return;
  const ready = result.verdict === 'good';
  const response = result.response ?? { status: NO_ANSWER, contentType: 'text/plain', body: result.cause ?? '' };
  ctx.state.readiness.set(instance.id, {
    name: check.name,
    taskId: instance.tasks[0]?.id ?? '',
    ready,
    ...(check.preserveLastResponse && { lastResponse: response }),
  });
  if (!ready) {
    ctx.emit({ kind: 'arm', key: `${PREFIX}${instance.id}`, after: Math.max(check.intervalSeconds * 1000, 1) });
    return;
  }
  alter(ctx, instance, (each) => {
    each.ready = true;
  });
}

function checkOf({ spec }: Instance): ReadinessCheck | undefined {
  return spec.kind === 'app' ? spec.readinessChecks[0] : undefined;
}

/** The host's port of this name, or the container's. */
function portNamed({ spec, tasks }: Instance, name: string): number | undefined {
  if (spec.kind !== 'app') return undefined;
  const ports = spec.portDefinitions ?? spec.container?.portMappings ?? [];
  const index = ports.findIndex((port) => port.name === name);
  if (index < 0) return undefined;
  return tasks[0]?.hostPorts[index] ?? spec.container?.portMappings?.[index]?.containerPort;
}
