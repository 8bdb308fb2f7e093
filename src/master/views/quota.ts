import { fromMilli } from '../../resources/scalars.ts';
import type { QuotaConfig, QuotaStatus } from '../../wire/v1_quota.ts';
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
    configs: quotas.map(quotaConfig),
  };
}

export function quotaConfig({ role, guarantees, limits }: QuotaRecord): QuotaConfig {
  return { role, guarantees: scalars(guarantees), limits: scalars(limits) };
}

function scalars(amounts: QuotaRecord['guarantees']): Record<string, { value: number }> {
  return Object.fromEntries(Object.entries(amounts).map(([name, milli]) => [name, { value: fromMilli(milli) }]));
}
