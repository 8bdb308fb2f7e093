/** Starts a daemon in this very process, so that signals and exit status are the daemon's own. */
export async function runDaemon(name: 'master' | 'agent', flags: readonly string[]): Promise<void> {
  const { start } = await (name === 'master' ? import('../master/start.ts') : import('../agent/start.ts'));
  await start(flags, process.env);
}
