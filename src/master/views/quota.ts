import { fromMilli } from '../../resources/scalars.ts';
import type { QuotaStatus } from '../../wire/v1_quota.ts';
import type { MasterState, QuotaRecord } from '../core/state.ts';

/** The quotas, in the present form (`configs`) and the older one (`infos`, guarantees only). */
export function quotaStatus(state: MasterState): QuotaStatus {
  const quotas = [...state.quotas.values()];
  return {
    infos: quotas.map(({ role, guarantees }) => ({
      role,
      guarantee: Object.entries(guarantees).map(([name, milli]) => ({
        name,
        type: 'SCALAR',
        scalar: { value: fromMilli(milli) },
      })),
    })),
    configs: quotas.map((quota) => ({
      role: quota.role,
      guarantees: scalars(quota.guarantees),
      limits: scalars(quota.limits),
    })),
  };
}

function scalars(amounts: QuotaRecord['guarantees']): Record<string, { value: number }> {
  return Object.fromEntries(Object.entries(amounts).map(([name, milli]) => [name, { value: fromMilli(milli) }]));
}
