/** What rules over a whole document need: facts from outside, and small checks that several of them share. */
import type { DefinitionContext, Problem, RoleFacts } from './types.ts';

export interface RuleFacts {
  readonly context: DefinitionContext;
  readonly roles: RoleFacts;
}

/** One rule: what is wrong with the document, as far as it is concerned. */
export type Rule<D> = (document: D, facts: RuleFacts) => readonly Problem[];

export const FINE: readonly Problem[] = [];

export function broken(path: string, error: string): readonly Problem[] {
  return [{ path, error }];
}

export function brokenIf(condition: boolean, path: string, error: string): readonly Problem[] {
  return condition ? broken(path, error) : FINE;
}

export function applyRules<D>(rules: readonly Rule<D>[], document: D, facts: RuleFacts): readonly Problem[] {
  return rules.flatMap((rule) => rule(document, facts));
}

/** A secret that is to be the password of a registry. */
export function secretForRegistry(path: string, { context }: RuleFacts): readonly Problem[] {
  return brokenIf(
    context.builtInSecrets === true,
    path,
    'the built-in store of secrets gives them to tasks only, as variables and as files: agents of this build fetch no images',
  );
}

/** Where a secret is to be a file. Without an image there is only the sandbox to have it in. */
export function secretFilePath(where: string, hasImage: boolean, path: string): readonly Problem[] {
  const parts = where.split('/');
  return [
    ...brokenIf(
      where.startsWith('/') && !hasImage,
      path,
      `must be a path inside the sandbox, without a slash in front, where there is no image: '${where}'`,
    ),
    ...brokenIf(
      parts.includes('..') || parts.includes('.') || where.endsWith('/') || where.includes('//'),
      path,
      `must name a file, without '.', '..' and empty parts: '${where}'`,
    ),
  ];
}

/** What a feature does not do anything without. */
const NEEDED_TOO: Readonly<Record<string, string>> = { secrets: ', and name a key with --secrets_key_file' };

/** Something may only be used with a flag. */
export function needsFeature(feature: string, path: string, { context }: RuleFacts): readonly Problem[] {
  return brokenIf(
    !context.features.has(feature),
    path,
    `Feature ${feature} is not enabled. Enable with --enable_features ${feature}${NEEDED_TOO[feature] ?? ''}`,
  );
}

/** The values that come more than once. */
export function repeated<T>(values: readonly T[]): readonly T[] {
  return [...new Set(values.filter((value, at) => values.indexOf(value) !== at))];
}

/** Schemes, characters and escapes of RFC 2396, with other letters than ASCII's: what a fetcher can be given. */
export function isUri(uri: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (uri === '' || /[\u0000-\u0020"<>\\^`{|}\u007f-\u00a0]|%(?![0-9a-fA-F]{2})/.test(uri)) return false;
  const [, scheme, rest] = /^([^/?#]*?):(.*)$/s.exec(uri) ?? [];
  if (scheme === undefined) return !uri.startsWith('//') || /^\/\/[^/?#]/.test(uri);
  return /^[a-zA-Z][a-zA-Z0-9+.-]*$/.test(scheme) && rest !== '' && !/^\/\/($|[?#])/.test(rest!);
}
