/** What clients of the operator API (`POST /api/v1`) of masters and agents have in common. */
import type { Agent } from 'node:http';
import type { MessageType } from '../wire/message-type.ts';
import { type Address, formatAddress } from './core/address.ts';
import { decodeMessage, MEDIA_TYPE } from './encoding.ts';
import { CallRefused, NotConnected } from './errors.ts';
import { type Answer, type Credential, fetchAnswer } from './exchange.ts';

export interface OperatorOptions {
  readonly credential?: Credential;
  readonly agent?: Agent;
  /** How long an answer may stay out, in ms. */
  readonly timeout?: number;
}

/** @throws NotConnected when nobody answers */
export function postCall(address: Address, body: Uint8Array, options: OperatorOptions): Promise<Answer> {
  const headers = { 'Content-Type': MEDIA_TYPE.protobuf, Accept: MEDIA_TYPE.protobuf };
  return fetchAnswer({ address, path: '/api/v1', headers, body, ...options }).catch((error: Error) => {
    throw new NotConnected(`${formatAddress(address)} does not answer: ${error.message}`);
  });
}

/** @throws CallRefused when the daemon said no, NotConnected when what it said cannot be read */
export function readResponse<T>(type: MessageType<T>, what: string, address: Address, answer: Answer): T {
  // 202: taken; the outcome comes by another way.
  if (answer.status !== 200 && answer.status !== 202)
    throw new CallRefused(what, answer.status, answer.body.toString('utf8'));
  const response = decodeMessage(type, answer.body, 'protobuf');
  if (!response.ok)
    throw new NotConnected(`${formatAddress(address)} answered something unreadable: ${response.error}`);
  return response.value;
}
