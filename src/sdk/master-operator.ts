import { Call, Response } from '../wire/v1_master.ts';
import { addressOfLocation } from './address.ts';
import type { Address } from './core/address.ts';
import { NotConnected } from './errors.ts';
import { type OperatorOptions, postCall, readResponse } from './operator.ts';

/**
 * Calls a master; one that does not lead redirects to the leader, which is followed once.
 * @throws NotConnected when nobody answers, CallRefused when the master says no
 */
export async function callMaster(address: Address, call: Call, options: OperatorOptions = {}): Promise<Response> {
  const body = Call.encode(call);
  let answer = await postCall(address, body, options);
  const leader = answer.status === 307 ? addressOfLocation(String(answer.headers.location ?? '')) : undefined;
  if (leader) answer = await postCall(leader, body, options);
  return readResponse(Response, String(call.type), address, answer);
}

/**
 * The first of several masters that answers; it need not lead.
 * @throws NotConnected when none does
 */
export async function answeringMaster(addresses: readonly Address[]): Promise<Address> {
  let problem: NotConnected | undefined;
  for (const address of addresses) {
    try {
      await callMaster(address, { type: 'GET_HEALTH' });
      return address;
    } catch (error) {
      if (!(error instanceof NotConnected)) throw error;
      problem ??= error;
    }
  }
  throw problem ?? new NotConnected('no master is named');
}
