import { addressOfLocation } from './address.ts';
import { type Address, formatAddress } from './core/address.ts';
import { CallRefused, NotConnected } from './errors.ts';
import { type Answer, fetchAnswer } from './exchange.ts';
import type { OperatorOptions } from './operator.ts';

/**
 * Reads one of a master's JSON endpoints; one that does not lead redirects to the leader, which is followed once.
 * @throws NotConnected when nobody answers, CallRefused when the master says no
 */
export async function getFromMaster(
  address: Address,
  path: string,
  query: Readonly<Record<string, string | undefined>> = {},
  options: OperatorOptions = {},
): Promise<unknown> {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) given.set(name, value);
  const search = given.size === 0 ? '' : `?${given}`;
  const ask = (from: Address): Promise<Answer> =>
    fetchAnswer({ address: from, path: `${path}${search}`, ...options }).catch((error: Error) => {
      throw new NotConnected(`${formatAddress(from)} does not answer: ${error.message}`);
    });
  let answer = await ask(address);
  const leader = answer.status === 307 ? addressOfLocation(String(answer.headers.location ?? '')) : undefined;
  if (leader) answer = await ask(leader);
  const text = answer.body.toString('utf8');
  if (answer.status !== 200) throw new CallRefused(`GET ${path}`, answer.status, text);
  return JSON.parse(text) as unknown;
}
