import { err, ok, type Result } from '../base/result.ts';

/** The role that everything unreserved belongs to. */
export const ANY_ROLE = '*';

// Tab, line feed, vertical tab, form feed, carriage return, space and delete.
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that a role may not have
const FORBIDDEN = /[\x09-\x0d\x20\x7f]/;

/** A role is `*`, or components joined by `/`: `eng/build`. */
export function validateRole(role: string): Result<void> {
  if (role === ANY_ROLE) return ok(undefined);
  if (role === '') return err('a role must not be empty; use "*" for what is not reserved');
  const shown = JSON.stringify(role);
  if (role.startsWith('/')) return err(`the role ${shown} must not begin with a slash`);
  if (role.endsWith('/')) return err(`the role ${shown} must not end with a slash`);
  if (role.includes('//')) return err(`the role ${shown} must not have two slashes side by side`);
  for (const component of role.split('/')) {
    if (component === '.' || component === '..' || component === ANY_ROLE) {
      return err(`the role ${shown} must not have "${component}" as a component`);
    }
    if (component.startsWith('-')) return err(`in the role ${shown} the component "${component}" begins with a dash`);
    if (FORBIDDEN.test(component)) return err(`the role ${shown} must not contain whitespace or the delete character`);
  }
  return ok(undefined);
}

/** `a/b/c` → [`a/b`, `a`]: the nearest first, the role itself not included. */
export function ancestorsOf(role: string): string[] {
  const out: string[] = [];
  for (let at = role.lastIndexOf('/'); at > 0; at = role.lastIndexOf('/', at - 1)) out.push(role.slice(0, at));
  return out;
}

/** Whether `role` lies strictly below `ancestor`: `a/b` below `a`, but not `ab`, and not `a` itself. */
export function isStrictSubrole(role: string, ancestor: string): boolean {
  return role.length > ancestor.length && role[ancestor.length] === '/' && role.startsWith(ancestor);
}
