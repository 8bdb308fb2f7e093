import { Call, Response } from '../wire/v1_agent.ts';
import type { Address } from './core/address.ts';
import { type OperatorOptions, postCall, readResponse } from './operator.ts';

/** Calls an agent. @throws NotConnected when it does not answer, CallRefused when it says no */
export async function callAgent(address: Address, call: Call, options: OperatorOptions = {}): Promise<Response> {
  const answer = await postCall(address, Call.encode(call), options);
  return readResponse(Response, String(call.type), address, answer);
}
