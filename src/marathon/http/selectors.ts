/** Label selectors: `env==prod,tier in (web, api),!…` as upstream's grammar has them. All must hold, and all need the label. */
import { err, ok, type Result } from '../../base/result.ts';
import type { Labels } from '../definition/types.ts';

export type Selector = (labels: Labels) => boolean;

const TERM = /^\s*((?:[-A-Za-z0-9_.]|\\.)+)\s*/;

/** @returns all selectors of the text; none for an empty one */
export function readSelectors(text: string): Result<readonly Selector[]> {
  const selectors: Selector[] = [];
  let rest = text.trim();
  while (rest !== '') {
    const one = readSelector(rest);
    if (one === undefined) {
      return err(
        `Can not parse label selector '${text}' from '${rest}' on: write KEY, KEY==VALUE, KEY!=VALUE, KEY in (A, B) or KEY notin (A, B), separated by commas`,
      );
    }
    selectors.push(one.selector);
    rest = one.rest.trimStart();
    if (rest === '') break;
    if (!rest.startsWith(',') || rest.slice(1).trim() === '') {
      return err(`Can not parse label selector '${text}': a comma and another selector were expected at '${rest}'`);
    }
    rest = rest.slice(1);
  }
  return ok(selectors);
}

interface Read {
  readonly selector: Selector;
  readonly rest: string;
}

function readSelector(text: string): Read | undefined {
  const key = term(text);
  if (key === undefined) return undefined;
  const { value: name, rest } = key;
  const equality = /^(==|!=)/.exec(rest)?.[1];
  if (equality !== undefined) {
    const value = term(rest.slice(2));
    if (value === undefined) return undefined;
    const isWanted = equality === '==';
    return {
      selector: (labels) => Object.hasOwn(labels, name) && (labels[name] === value.value) === isWanted,
      rest: value.rest,
    };
  }
  const set = /^(in|notin)\s*\(/.exec(rest);
  if (set !== null) return readSet(name, set[1] === 'in', rest.slice(set[0].length));
  return { selector: (labels) => Object.hasOwn(labels, name), rest };
}

/** @param text from behind the opening bracket on */
function readSet(name: string, isWanted: boolean, text: string): Read | undefined {
  const values = new Set<string>();
  const selector: Selector = (labels) => Object.hasOwn(labels, name) && values.has(labels[name]!) === isWanted;
  let rest = text.trimStart();
  if (rest.startsWith(')')) return { selector, rest: rest.slice(1) };
  for (;;) {
    const value = term(rest);
    if (value === undefined) return undefined;
    values.add(value.value);
    if (value.rest.startsWith(')')) return { selector, rest: value.rest.slice(1) };
    if (!value.rest.startsWith(',')) return undefined;
    rest = value.rest.slice(1);
  }
}

function term(text: string): { readonly value: string; readonly rest: string } | undefined {
  const found = TERM.exec(text);
  return found === null ? undefined : { value: found[1]!.replace(/\\(.)/g, '$1'), rest: text.slice(found[0].length) };
}
