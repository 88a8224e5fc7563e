// `npm start`. Plain JavaScript, because the file that is named on the command line is read before there is a compile
// cache: what turns TypeScript into JavaScript would take 14 MiB for it, and a start that finds its code needs it nowhere.
import { enableCompileCache } from 'node:module';

enableCompileCache();
const { main } = await import('../src/main.ts');
await main();
