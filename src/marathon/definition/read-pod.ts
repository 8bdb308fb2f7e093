/** From JSON to a pod: the fields first, then the rules for the whole. */
import { err, ok, type Result } from '../../base/result.ts';
import type { Stamp } from './app-form.ts';
import { namedNetworks } from './app-normal.ts';
import { canonicalPath } from './path-id.ts';
import { podKind } from './pod-fields.ts';
import { podOf } from './pod-form.ts';
import { POD_RULES } from './pod-rules.ts';
import { applyRules, type RuleFacts } from './rule.ts';
import { usualRole } from './scheduling-rules.ts';
import type { Pod, Problem, Refused } from './types.ts';

/** A pod that is to be created, or to take the place of one. A version that the document gives counts for nothing. */
export function readPod(value: unknown, facts: RuleFacts, stamp: Stamp): Result<Pod, Refused> {
  const problems: Problem[] = [];
  const read = podKind.read(value, '', problems);
  if (read === undefined) return err({ kind: 'schema', problems });
  const document = { ...read, id: canonicalPath(read.id), role: read.role ?? usualRole(facts.roles) };
  const broken = applyRules(POD_RULES, document, facts);
  if (broken.length > 0) return err({ kind: 'rules', problems: broken });
  const networks = namedNetworks(document.networks, facts.context);
  if (!networks.ok) return err({ kind: 'normalization', message: networks.error });
  return ok(podOf({ ...document, networks: networks.value }, stamp));
}
