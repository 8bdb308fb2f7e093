/** Starts a daemon in this very process, so that signals and exit status are the daemon's own. @param entry its main module */
export async function runDaemon(entry: string, flags: readonly string[]): Promise<number> {
  const module = new URL(import.meta.url.endsWith('.js') ? entry.replace(/\.ts$/, '.js') : entry, import.meta.url);
  process.argv = [process.argv[0]!, module.pathname, ...flags];
  await import(module.href);
  return 0;
}
