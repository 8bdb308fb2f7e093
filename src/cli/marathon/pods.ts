/** `meseta pod`. */
import { ask, MarathonError } from './client.ts';
import { watch } from './deployments.ts';
import { print, readDefinitions } from './document.ts';
import type { ChangeOptions, CommonOptions } from './options.ts';

interface PodStatus {
  readonly id: string;
  readonly status: string;
  readonly spec: { readonly scaling?: { readonly instances?: number }; readonly containers: readonly unknown[] };
  readonly instances: readonly {
    readonly id: string;
    readonly status: string;
    readonly agentHostname?: string;
    readonly containers: readonly { readonly name: string; readonly status: string }[];
  }[];
}

export async function listPods(options: CommonOptions): Promise<number> {
  const pods = await ask<readonly PodStatus[]>(options, 'GET', '/v2/pods::status');
  await print(pods, options, () => [
    ['ID', 'STATUS', 'INSTANCES', 'CONTAINERS'],
    ...pods.map(({ id, status, instances, spec }) => [
      id,
      status,
      `${instances.filter((each) => each.status === 'STABLE').length}/${spec.scaling?.instances ?? 1}`,
      String(spec.containers.length),
    ]),
  ]);
  return 0;
}

export async function showPod(id: string, options: CommonOptions): Promise<number> {
  const pod = await ask<PodStatus>(options, 'GET', `/v2/pods/${id.replace(/^\/+/, '')}::status`);
  await print(pod, options, () => [
    ['INSTANCE', 'STATUS', 'HOST', 'CONTAINERS'],
    ...pod.instances.map((each) => [
      each.id,
      each.status,
      each.agentHostname ?? '-',
      each.containers.map(({ name, status }) => `${name} ${status}`).join(', '),
    ]),
  ]);
  return 0;
}

export async function applyPods(files: readonly string[], options: ChangeOptions): Promise<number> {
  const pods = (await Promise.all(files.map(readDefinitions))).flat();
  const force = options.force ? '?force=true' : '';
  for (const pod of pods) {
    const id = String(pod.id ?? '').replace(/^\/+/, '');
    if (id === '') throw new Error('a pod has no id');
    await ask(options, 'PUT', `/v2/pods/${id}${force}`, pod);
    process.stdout.write(`Pod /${id} is being deployed.\n`);
  }
  return options.watch ? untilNothingIsLeft(options) : 0;
}

export async function deletePod(id: string, options: ChangeOptions): Promise<number> {
  await ask(options, 'DELETE', `/v2/pods/${id.replace(/^\/+/, '')}${options.force ? '?force=true' : ''}`);
  process.stdout.write(`Pod ${id} is being ended.\n`);
  return options.watch ? untilNothingIsLeft(options) : 0;
}

/** Answers about pods do not say which deployment they are part of: all that are under way are watched. */
async function untilNothingIsLeft(options: CommonOptions): Promise<number> {
  const deployments = await ask<readonly { readonly id: string }[]>(options, 'GET', '/v2/deployments');
  for (const { id } of deployments) {
    await watch(id, options).catch((error: unknown) => {
      if (!(error instanceof MarathonError)) throw error;
    });
  }
  return 0;
}
