/** The program `meseta`. */
import { enableCompileCache } from 'node:module';

// What is imported from here on is compiled once, and not at every start.
enableCompileCache();
const { main } = await import('./program.ts');
await main(process.argv.slice(2));
