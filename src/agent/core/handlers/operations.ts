import type {
  AcknowledgeOperationStatusMessage,
  ApplyOperationMessage,
  CheckpointResourcesMessage,
  ReconcileOperationsMessage,
} from '../../../wire/internal.ts';
import { type Context, log } from '../context.ts';

/** Reservations and volumes are the master's bookkeeping until the agent keeps its resources on disk. */
export function applyOperation(context: Context, message: ApplyOperationMessage): void {
  log(context, 'warning', `Operation ${message.operation_info.type ?? 'of unknown type'} leaves nothing on this agent`);
}

export function acknowledgeOperation(_context: Context, _message: AcknowledgeOperationStatusMessage): void {}

export function reconcileOperations(_context: Context, _message: ReconcileOperationsMessage): void {}

export function checkpointResources(_context: Context, _message: CheckpointResourcesMessage): void {}
