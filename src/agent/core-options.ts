import { ok, type Result } from '../base/result.ts';
import { parseAttributes } from '../resources/attributes.ts';
import type { Resource } from '../wire/v1.ts';
import type { AgentOptions } from './core/state.ts';
import { agentFeatures } from './features.ts';
import type { AgentFlags } from './flags.ts';
import { oversubscribedResources } from './oversubscription.ts';

/** Who this agent is to others. */
export interface AgentAddress {
  /** `slave(1)@ip:port` as others reach it. */
  readonly pid: string;
  readonly hostname: string;
  readonly port: number;
}

/** The core's options out of flags that were checked. @returns what is wrong with texts in them, if anything */
export function coreOptions(
  flags: AgentFlags,
  version: string,
  address: AgentAddress,
  resources: readonly Resource[],
): Result<AgentOptions> {
  const attributes = parseAttributes(flags.attributes ?? '');
  if (!attributes.ok) return attributes;
  const oversubscribed = oversubscribedResources(flags.resource_estimator, flags.modules);
  if (!oversubscribed.ok) return oversubscribed;
  const features = agentFeatures(flags.agent_features);
  if (!features.ok) return features;
  return ok({
    ...address,
    version,
    workDir: flags.work_dir,
    resources,
    ...(attributes.value.length > 0 && { attributes: attributes.value }),
    ...(flags.domain && { domain: flags.domain }),
    ...(oversubscribed.value && {
      oversubscription: { resources: oversubscribed.value, interval: flags.oversubscribed_resources_interval },
    }),
    capabilities: features.value.map((type) => ({ type })),
    checkpoint: true,
    switchUser: flags.switch_user,
    executorEnvironment: texts(flags.executor_environment_variables),
    registrationBackoffFactor: flags.registration_backoff_factor,
    executorRegistrationTimeout: flags.executor_registration_timeout,
    executorShutdownGracePeriod: flags.executor_shutdown_grace_period,
    recoveryTimeout: flags.recovery_timeout,
    executorReregistrationTimeout: flags.executor_reregistration_timeout,
    ...(flags.executor_reregistration_retry_interval !== undefined && {
      executorReregistrationRetryInterval: flags.executor_reregistration_retry_interval,
    }),
    gcDelay: flags.gc_delay,
    gcDiskHeadroom: flags.gc_disk_headroom,
    gcNestedSandboxes: flags.gc_non_executor_container_sandboxes,
    maxCompletedExecutorsPerFramework: flags.max_completed_executors_per_framework,
    sandboxDirectory: flags.sandbox_directory,
    httpCommandExecutor: flags.http_command_executor,
    // Only ever shown, and an empty path would be shown as a program in the root folder.
    launcherDir: flags.launcher_dir || '/usr/libexec/mesos',
  });
}

function texts(variables: Readonly<Record<string, unknown>> | undefined): Record<string, string> {
  const entries = Object.entries(variables ?? {}).filter((entry): entry is [string, string] => {
    return typeof entry[1] === 'string';
  });
  return Object.fromEntries(entries);
}
