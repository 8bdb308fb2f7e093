import { err, ok, type Result } from '../base/result.ts';
import { json } from './kinds.ts';

/** Where a daemon stands: a region (for example a city) and a zone in it (for example a room or a rack). */
export interface Domain {
  readonly fault_domain: {
    readonly region: { readonly name: string };
    readonly zone: { readonly name: string };
  };
}

export const domain = json<Domain>('a DomainInfo', readDomain);

function readDomain(value: unknown): Result<Domain> {
  const fault = (value as { fault_domain?: { region?: { name?: unknown }; zone?: { name?: unknown } } } | null)
    ?.fault_domain;
  const region = fault?.region?.name;
  const zone = fault?.zone?.name;
  if (typeof region === 'string' && typeof zone === 'string') {
    return ok({ fault_domain: { region: { name: region }, zone: { name: zone } } });
  }
  const absent = typeof region === 'string' ? 'fault_domain.zone.name' : 'fault_domain.region.name';
  return err(`${absent} is missing: write {"fault_domain": {"region": {"name": "r"}, "zone": {"name": "z"}}}`);
}
