import { validateId } from '../../base/ids.ts';
import { err, ok, type Result } from '../../base/result.ts';
import type { ContainerID } from '../../wire/v1.ts';
import type { Call, Call_Type } from '../../wire/v1_agent.ts';

/** Upstream's limit, which keeps cgroup paths of nested containers short enough. */
const MAX_CONTAINER_ID = 242;

type Argument = Exclude<keyof Call, 'type' | '$unknown'>;

/** Calls that mean nothing without their argument; some of them name a container, which may have to be nested. */
const ARGUMENTS: Readonly<Partial<Record<Call_Type, { argument: Argument; container?: 'any' | 'nested' }>>> = {
  GET_METRICS: { argument: 'get_metrics' },
  SET_LOGGING_LEVEL: { argument: 'set_logging_level' },
  LIST_FILES: { argument: 'list_files' },
  READ_FILE: { argument: 'read_file' },
  LAUNCH_NESTED_CONTAINER: { argument: 'launch_nested_container', container: 'nested' },
  WAIT_NESTED_CONTAINER: { argument: 'wait_nested_container', container: 'nested' },
  KILL_NESTED_CONTAINER: { argument: 'kill_nested_container', container: 'nested' },
  REMOVE_NESTED_CONTAINER: { argument: 'remove_nested_container', container: 'nested' },
  LAUNCH_NESTED_CONTAINER_SESSION: { argument: 'launch_nested_container_session', container: 'nested' },
  ATTACH_CONTAINER_INPUT: { argument: 'attach_container_input' },
  ATTACH_CONTAINER_OUTPUT: { argument: 'attach_container_output', container: 'any' },
  LAUNCH_CONTAINER: { argument: 'launch_container', container: 'any' },
  WAIT_CONTAINER: { argument: 'wait_container', container: 'any' },
  KILL_CONTAINER: { argument: 'kill_container', container: 'any' },
  REMOVE_CONTAINER: { argument: 'remove_container', container: 'any' },
  ADD_RESOURCE_PROVIDER_CONFIG: { argument: 'add_resource_provider_config' },
  UPDATE_RESOURCE_PROVIDER_CONFIG: { argument: 'update_resource_provider_config' },
  REMOVE_RESOURCE_PROVIDER_CONFIG: { argument: 'remove_resource_provider_config' },
  MARK_RESOURCE_PROVIDER_GONE: { argument: 'mark_resource_provider_gone' },
};

/** A call whose type is known to be there. */
export type TypedCall = Call & { readonly type: Call_Type };

/** Whether a call has what its type needs. @returns a sentence that names the field */
export function validateCall(call: Call): Result<TypedCall> {
  const { type } = call;
  if (type === undefined) return err("Expecting 'type' to be present");
  const rule = ARGUMENTS[type];
  if (!rule) return ok({ ...call, type });
  const argument = call[rule.argument];
  if (argument === undefined) return err(`Expecting '${rule.argument}' to be present`);
  const valid = rule.container
    ? validateContainer(rule.argument, containerOf(argument), rule.container)
    : ok(undefined);
  if (!valid.ok) return valid;
  if (type === 'ATTACH_CONTAINER_INPUT') {
    const input = call.attach_container_input?.type;
    if (input === undefined) return err("Expecting 'attach_container_input.type' to be present");
    if (input === 'UNKNOWN') return err("'attach_container_input.type' is unknown");
  }
  return ok({ ...call, type });
}

function containerOf(argument: object): ContainerID | undefined {
  return (argument as { container_id?: ContainerID }).container_id;
}

function validateContainer(field: string, id: ContainerID | undefined, rule: 'any' | 'nested'): Result<void> {
  if (!id) return err(`Expecting '${field}.container_id' to be present`);
  const valid = validateContainerId(id);
  if (!valid.ok) return err(`'${field}.container_id' is invalid: ${valid.error}`);
  if (rule === 'nested' && !id.parent) return err(`Expecting '${field}.container_id.parent' to be present`);
  return ok(undefined);
}

function validateContainerId(id: ContainerID): Result<void> {
  const valid = validateId(id.value, "'ContainerID.value'");
  if (!valid.ok) return valid;
  if (id.value.length > MAX_CONTAINER_ID) {
    return err(`'ContainerID.value' '${id.value}' exceeds the maximum length (${MAX_CONTAINER_ID})`);
  }
  if (/[. ]/.test(id.value)) return err(`'ContainerID.value' '${id.value}' contains invalid characters`);
  if (!id.parent) return ok(undefined);
  const parent = validateContainerId(id.parent);
  return parent.ok ? parent : err(`'ContainerID.parent' is invalid: ${parent.error}`);
}

/** How upstream writes a container id: ancestors first, with dots between. */
export function formatContainerId(id: ContainerID): string {
  return id.parent ? `${formatContainerId(id.parent)}.${id.value}` : id.value;
}
