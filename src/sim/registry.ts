import type { RegistryOperation } from '../master/core/registry.ts';

/** The registry as a list of who is what: enough to hold the master's state against it. */
export class SimulatedRegistry {
  readonly admitted = new Set<string>();
  readonly unreachable = new Set<string>();
  readonly gone = new Set<string>();

  apply(operation: RegistryOperation): void {
    switch (operation.type) {
      case 'ADMIT_AGENT':
      case 'UPDATE_AGENT':
      case 'MARK_REACHABLE':
        this.move(operation.agent.id?.value ?? '', this.admitted);
        break;
      case 'MARK_UNREACHABLE':
        this.move(operation.agentId, this.unreachable);
        break;
      case 'MARK_GONE':
        this.move(operation.agentId, this.gone);
        break;
      case 'REMOVE_AGENT':
        this.move(operation.agentId, undefined);
        break;
      case 'DEACTIVATE_AGENT':
      case 'DRAIN_AGENT':
      case 'MARK_DRAINED':
      case 'REACTIVATE_AGENT':
      case 'UPDATE_MACHINES':
      case 'UPDATE_QUOTA':
      case 'UPDATE_WEIGHTS':
        break;
      case 'PRUNE':
        for (const id of operation.unreachable) this.unreachable.delete(id);
        for (const id of operation.gone) this.gone.delete(id);
        break;
    }
  }

  private move(agentId: string, to: Set<string> | undefined): void {
    for (const list of [this.admitted, this.unreachable, this.gone]) list.delete(agentId);
    to?.add(agentId);
  }
}
