/** An offer of which parts are already taken. */
import type { Offer } from '../../../wire/v1.ts';
import type { Placement } from '../model.ts';

export interface OpenOffer {
  readonly offer: Offer;
  /** The role that it was made to. */
  readonly role: string;
  readonly agentId: string;
  readonly placement: Placement;
}

export function openOffer(offer: Offer): OpenOffer {
  const agentId = offer.agent_id.value;
  return {
    offer,
    role: offer.allocation_info?.role ?? '*',
    agentId,
    placement: { agentId, host: offer.hostname, attributes: {} },
  };
}
