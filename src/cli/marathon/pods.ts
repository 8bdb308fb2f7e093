/** `meseta pod`. */
import { ask, askForDeployment } from './client.ts';
import { follow } from './deployments.ts';
import { print, readDefinitions } from './document.ts';
import { Endings } from './endings.ts';
import type { ChangeOptions, CommonOptions } from './options.ts';
import { pathOf } from './paths.ts';

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
  const pod = await ask<PodStatus>(options, 'GET', `${pathOf('pods', id)}::status`);
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

/** One deployment for each: pods cannot be written together. */
export async function applyPods(files: readonly string[], options: ChangeOptions): Promise<number> {
  const pods = (await Promise.all(files.map((file) => readDefinitions(file, 'pod')))).flat();
  const nameless = pods.find(({ value: { id } }) => typeof id !== 'string' || id === '');
  if (nameless) throw new Error(`${nameless.place}: the pod has no id`);
  return change(
    options,
    pods.map(({ value: pod }) => {
      const id = `/${String(pod.id).replace(/^\/+/, '')}`;
      const path = forced(id, options);
      return { pod: id, change: () => askForDeployment(options, 'PUT', path, pod) };
    }),
  );
}

export async function deletePod(id: string, options: ChangeOptions): Promise<number> {
  return change(options, [{ pod: id, change: () => askForDeployment(options, 'DELETE', forced(id, options)) }]);
}

interface PodChange {
  readonly pod: string;
  readonly change: () => Promise<{ readonly deploymentId: string | undefined }>;
}

/** One after the other, and then with --watch until all are over. */
async function change(options: ChangeOptions, changes: readonly PodChange[]): Promise<number> {
  const endings = options.watch ? await Endings.listen(options) : undefined;
  try {
    const begun: { readonly pod: string; readonly deploymentId: string | undefined }[] = [];
    for (const { pod, change } of changes) begun.push({ pod, deploymentId: (await change()).deploymentId });
    let status = 0;
    for (const { deploymentId } of endings ? begun : []) {
      if (deploymentId !== undefined) status = Math.max(status, await follow(deploymentId, endings!, options));
    }
    if (endings && options.output === 'table') return status;
    await print(begun, options, () => [
      ['POD', 'DEPLOYMENT'],
      ...begun.map(({ pod, deploymentId }) => [pod, deploymentId ?? '-']),
    ]);
    return status;
  } finally {
    endings?.close();
  }
}

function forced(id: string, { force }: ChangeOptions): string {
  return `${pathOf('pods', id)}${force === true ? '?force=true' : ''}`;
}
