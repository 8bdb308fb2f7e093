/** `/v2/why`: why an app or a pod does not have all its instances. Not in upstream. */
import type { Answer } from '../../http/answer.ts';
import type { Request } from '../../http/endpoint.ts';
import { canonicalPath } from '../definition/path-id.ts';
import { whyView } from '../views/why.ts';
import { jsonAnswer, message } from './answers.ts';
import type { MarathonService } from './service.ts';

export async function why(service: MarathonService, { rest }: Request): Promise<Answer> {
  const { state, now } = service;
  const id = canonicalPath(rest);
  const spec = state.current.get(id);
  if (spec === undefined) return message(404, `App '${id}' does not exist`);
  const isWaiting = (state.specs.get(id)?.scheduled.size ?? 0) > 0;
  const totals = isWaiting ? await service.agentTotals() : undefined;
  return jsonAnswer(whyView(state, spec, now(), totals));
}
