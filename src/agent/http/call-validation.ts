import { validateId } from '../../base/ids.ts';
import { err, ok, type Result } from '../../base/result.ts';
import type { ContainerID, Resource } from '../../wire/v1.ts';
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
  const possible = validateLaunch(call, type);
  if (!possible.ok) return possible;
  if (type === 'ATTACH_CONTAINER_INPUT') {
    const input = call.attach_container_input?.type;
    if (input === undefined) return err("Expecting 'attach_container_input.type' to be present");
    if (input === 'UNKNOWN') return err("'attach_container_input.type' is unknown");
    if (input === 'CONTAINER_ID') {
      const named = validateContainer('attach_container_input', call.attach_container_input?.container_id, 'any');
      if (!named.ok) return named;
    }
  }
  return ok({ ...call, type });
}

/** What is launched must be possible where it is to run: deep down resources and cgroups are shared. */
function validateLaunch(call: Call, type: Call_Type): Result<void> {
  if (type === 'LAUNCH_NESTED_CONTAINER_SESSION') {
    const shares = call.launch_nested_container_session?.container?.linux_info?.share_cgroups;
    if (shares !== false) return ok(undefined);
    return err("'launch_nested_container_session.container.linux_info' is invalid: a session must share cgroups");
  }
  const field = type === 'LAUNCH_CONTAINER' ? 'launch_container' : 'launch_nested_container';
  const launch = type === 'LAUNCH_CONTAINER' ? call.launch_container : call.launch_nested_container;
  if (launch === undefined || (type !== 'LAUNCH_CONTAINER' && type !== 'LAUNCH_NESTED_CONTAINER')) return ok(undefined);
  const { resources = [], limits = {} } = call.launch_container ?? {};
  const shares = launch.container?.linux_info?.share_cgroups;
  const { parent } = launch.container_id;
  if (parent?.parent !== undefined) {
    const where = `'${field}' is invalid: containers nested at the second level or deeper`;
    if (resources.length > 0) return err(`${where} cannot have 'resources'`);
    if (Object.keys(limits).length > 0) return err(`${where} cannot have 'limits'`);
    if (shares === false) return err(`${where} cannot set 'share_cgroups' to false`);
  }
  if (parent !== undefined) return ok(undefined);
  if (shares === true) {
    return err(`'${field}' is invalid: containers without a parent cannot set 'share_cgroups' to true`);
  }
  return validateStandaloneResources(resources);
}

/** No master knows of what containers on their own use, so that it can only be what nobody has a claim on. */
function validateStandaloneResources(resources: readonly Resource[]): Result<void> {
  for (const { name, reservations = [], role = '*', disk, revocable } of resources) {
    const what = `'launch_container.resources' has '${name}'`;
    if (reservations.length > 0 || role !== '*') return err(`${what} with a reservation: it must be unreserved`);
    if (disk?.persistence !== undefined) return err(`${what} with a persistent volume: that belongs to a role`);
    if (revocable !== undefined) return err(`${what} that is revocable: it must not be`);
  }
  return ok(undefined);
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
