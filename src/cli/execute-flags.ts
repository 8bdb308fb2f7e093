import { err, ok, type Result } from '../base/result.ts';
import { MESOS_VERSION } from '../config/daemon-flags.ts';
import { flag, optional, required } from '../config/flag.ts';
import { bool, duration, json, oneOf, string } from '../config/kinds.ts';
import { CapabilityInfo, RLimitInfo, TaskGroupInfo, TaskInfo, Volume } from '../wire/v1.ts';

const NO_IMAGES = 'running in a container image is not in this build; leave it out to run on the host';

function environment(value: unknown): Result<Readonly<Record<string, string>>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return err('write a JSON object of names and values, such as {"GREETING":"hello"}');
  }
  const bad = Object.entries(value).find(([, text]) => typeof text !== 'string');
  if (bad) return err(`the value of '${bad[0]}' has to be a string, such as "${String(bad[1])}"`);
  return ok(value as Record<string, string>);
}

function volumes(value: unknown): Result<readonly Volume[]> {
  if (!Array.isArray(value)) return err('write a JSON list of Volume objects');
  const list: Volume[] = [];
  for (const item of value) {
    const volume = Volume.fromJson(item);
    if (!volume.ok) return volume;
    list.push(volume.value);
  }
  return ok(list);
}

/** What `mesos-execute` takes; upstream's names and defaults. */
export const executeFlags = {
  master: required(string, 'The master, as host:port.'),
  name: optional(string, "The task's name, which is its id as well."),
  command: optional(string, 'The command to launch.'),
  task: optional(
    json('a TaskInfo', TaskInfo.fromJson),
    'A TaskInfo as JSON, or file:// and the path of one; instead of name and command.',
  ),
  task_group: optional(
    json('a TaskGroupInfo', TaskGroupInfo.fromJson),
    'A TaskGroupInfo as JSON, or file:// and the path of one; instead of a task.',
  ),
  shell: flag(
    bool,
    'true',
    'Whether the command is for a shell. Without one, the first word of the command is the program.',
  ),
  env: optional(json('an environment', environment), 'Environment variables, as a JSON object of names and values.'),
  resources: flag(string, 'cpus:1;mem:128', 'What the task is to have.'),
  checkpoint: flag(bool, 'false', "Whether the framework's tasks survive a restart of their agent."),
  framework_capabilities: optional(string, 'More capabilities for the framework, separated by commas.'),
  role: flag(string, '*', 'The role to run in.'),
  kill_after: optional(duration, 'Kill the task when it has run this long.'),
  principal: optional(string, 'Who the framework is to the master.'),
  secret: optional(string, "The principal's secret."),
  partition_aware: flag(bool, 'true', 'Whether the framework has the PARTITION_AWARE capability.'),
  content_type: flag(oneOf('protobuf', 'json'), 'protobuf', 'How calls and events are encoded.'),
  containerizer: flag(oneOf('mesos', 'docker'), 'mesos', 'Which containerizer runs an image.'),
  docker_image: optional(string, 'A Docker image to run in.', { missing: { act: 'refuse', sentence: NO_IMAGES } }),
  appc_image: optional(string, 'An appc image to run in.', { missing: { act: 'refuse', sentence: NO_IMAGES } }),
  networks: optional(string, 'Names of container networks to join, separated by commas.'),
  volumes: optional(json('a list of volumes', volumes), 'Volumes of the container, as a JSON list.'),
  rlimits: optional(json('an RLimitInfo', RLimitInfo.fromJson), 'Resource limits of the process, as JSON.'),
  effective_capabilities: optional(
    json('a CapabilityInfo', CapabilityInfo.fromJson),
    'Linux capabilities the task has, as JSON.',
  ),
  bounding_capabilities: optional(
    json('a CapabilityInfo', CapabilityInfo.fromJson),
    'Linux capabilities the task may gain, as JSON.',
  ),
  tty: flag(bool, 'false', 'Whether the task gets a terminal.'),
  package: optional(string, 'A package to upload first.', {
    missing: {
      act: 'refuse',
      sentence: 'uploading a package is not in this build; put the files where the agent can fetch them',
    },
  }),
  overwrite: flag(bool, 'false', 'Whether uploading replaces a package.'),
  hadoop: flag(string, 'hadoop', 'The Hadoop command, for uploading.'),
  hdfs: flag(string, 'localhost:9000', 'Where HDFS is, for uploading.'),
  help: flag(bool, 'false', 'Print this help and end.'),
  version: flag(bool, 'false', `Print the version (${MESOS_VERSION}) and end.`),
};
