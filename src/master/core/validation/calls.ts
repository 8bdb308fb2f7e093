import { err, ok, type Result } from '../../../base/result.ts';
import type { Call } from '../../../wire/v1_scheduler.ts';

type CallType = NonNullable<Call['type']>;

/** The argument that each call must bring, if any. */
const ARGUMENTS = {
  UNKNOWN: undefined,
  SUBSCRIBE: 'subscribe',
  TEARDOWN: undefined,
  ACCEPT: 'accept',
  DECLINE: 'decline',
  ACCEPT_INVERSE_OFFERS: 'accept_inverse_offers',
  DECLINE_INVERSE_OFFERS: 'decline_inverse_offers',
  REVIVE: undefined,
  KILL: 'kill',
  SHUTDOWN: 'shutdown',
  ACKNOWLEDGE: 'acknowledge',
  ACKNOWLEDGE_OPERATION_STATUS: 'acknowledge_operation_status',
  RECONCILE: 'reconcile',
  RECONCILE_OPERATIONS: 'reconcile_operations',
  MESSAGE: 'message',
  REQUEST: 'request',
  SUPPRESS: undefined,
  UPDATE_FRAMEWORK: 'update_framework',
} as const satisfies Record<CallType, keyof Call | undefined>;

/** Whether a scheduler call is complete. The texts are shown after "Failed to validate scheduler::Call: ". */
export function validateCall(call: Call, principal: string | undefined): Result<CallType> {
  const { type } = call;
  if (type === undefined) return err("Expecting 'type' to be present");
  const argument = ARGUMENTS[type];
  if (type !== 'SUBSCRIBE' && call.framework_id === undefined) return err("Expecting 'framework_id' to be present");
  if (argument !== undefined && call[argument] === undefined) return err(`Expecting '${argument}' to be present`);
  const details = validateDetails(call, principal);
  return details.ok ? ok(type) : details;
}

function validateDetails(call: Call, principal: string | undefined): Result<void> {
  const id = call.framework_id?.value ?? '';
  if (call.type === 'SUBSCRIBE' && call.subscribe !== undefined) {
    const info = call.subscribe.framework_info;
    if ((info.id?.value ?? '') !== id) return err("'framework_id' differs from 'subscribe.framework_info.id'");
    if (principal !== undefined && info.principal !== undefined && info.principal !== principal) {
      return err(
        `Authenticated principal '${principal}' does not match principal '${info.principal}' set in 'FrameworkInfo'`,
      );
    }
  }
  if (call.type === 'UPDATE_FRAMEWORK' && call.update_framework !== undefined) {
    if ((call.update_framework.framework_info.id?.value ?? '') !== id) {
      return err("'framework_id' differs from 'update_framework.framework_info.id'");
    }
  }
  if (call.type === 'ACKNOWLEDGE' && call.acknowledge !== undefined) return validateUuid(call.acknowledge.uuid);
  if (call.type === 'ACKNOWLEDGE_OPERATION_STATUS' && call.acknowledge_operation_status !== undefined) {
    const { uuid, agent_id } = call.acknowledge_operation_status;
    const valid = validateUuid(uuid);
    if (!valid.ok) return valid;
    if (agent_id === undefined) return err("Expecting 'acknowledge_operation_status.agent_id' to be present");
  }
  return ok(undefined);
}

/** The layout must be right too, as upstream has it: the variant and a version from 1 to 5. */
function validateUuid(bytes: Uint8Array): Result<void> {
  if (bytes.length !== 16) return err(`Not a valid UUID: 16 bytes are needed, not ${bytes.length}`);
  const version = bytes[6]! >> 4;
  if ((bytes[8]! & 0xc0) !== 0x80 || version < 1 || version > 5) {
    return err('Not a valid UUID: it has neither the layout nor the version bits of one');
  }
  return ok(undefined);
}
