/** The program `marathon`. */
import { enableCompileCache } from 'node:module';

// What is imported from here on is compiled once, and not at every start.
enableCompileCache();
const { start } = await import('./start.ts');
await start(process.argv.slice(2), process.env);
