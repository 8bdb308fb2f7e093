/** A client of the operator API (`POST /api/v1`) of masters and agents, for commands and tools. */
import type { Agent } from 'node:http';
import * as agentApi from '../wire/v1_agent.ts';
import * as masterApi from '../wire/v1_master.ts';
import { type Address, addressOfLocation, formatAddress } from './address.ts';
import { decodeMessage, MEDIA_TYPE } from './encoding.ts';
import { CallRefused, NotConnected } from './errors.ts';
import { type Answer, type Credential, type Exchange, fetchAnswer } from './exchange.ts';

export interface OperatorOptions {
  readonly credential?: Credential;
  readonly agent?: Agent;
}

async function post(address: Address, body: Uint8Array, options: OperatorOptions): Promise<Answer> {
  const exchange: Exchange = {
    address,
    path: '/api/v1',
    headers: { 'Content-Type': MEDIA_TYPE.protobuf, Accept: MEDIA_TYPE.protobuf },
    body,
    ...options,
  };
  return fetchAnswer(exchange).catch((error: Error) => {
    throw new NotConnected(`${formatAddress(address)} does not answer: ${error.message}`);
  });
}

/**
 * Calls a master; one that does not lead redirects to the leader, which is followed once.
 * @throws NotConnected when nobody answers, CallRefused when the master says no
 */
export async function callMaster(
  address: Address,
  call: masterApi.Call,
  options: OperatorOptions = {},
): Promise<masterApi.Response> {
  const body = masterApi.Call.encode(call);
  let answer = await post(address, body, options);
  const leader = answer.status === 307 ? addressOfLocation(String(answer.headers.location ?? '')) : undefined;
  if (leader) answer = await post(leader, body, options);
  if (answer.status !== 200) throw new CallRefused(String(call.type), answer.status, answer.body.toString('utf8'));
  const response = decodeMessage(masterApi.Response, answer.body, 'protobuf');
  if (!response.ok)
    throw new NotConnected(`${formatAddress(address)} answered something unreadable: ${response.error}`);
  return response.value;
}

/** Calls an agent. @throws NotConnected when it does not answer, CallRefused when it says no */
export async function callAgent(
  address: Address,
  call: agentApi.Call,
  options: OperatorOptions = {},
): Promise<agentApi.Response> {
  const answer = await post(address, agentApi.Call.encode(call), options);
  if (answer.status !== 200) throw new CallRefused(String(call.type), answer.status, answer.body.toString('utf8'));
  const response = decodeMessage(agentApi.Response, answer.body, 'protobuf');
  if (!response.ok)
    throw new NotConnected(`${formatAddress(address)} answered something unreadable: ${response.error}`);
  return response.value;
}
