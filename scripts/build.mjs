// Bundles bin/tscarp.ts for Node 20 and newer into one file, with its dependencies except the
// native ones. What is imported with `await import()` is in the file too, but evaluated only when
// it is asked for: against a chunk each, one file starts the daemon with a twentieth less work.
// Usage: node scripts/build.mjs OUTFILE [ENTRY]

import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';

const [outfile = 'dist/bin/tscarp.js', entry = 'bin/tscarp.ts'] = process.argv.slice(2);

// pino and parts of yargs are CommonJS; esbuild's wrapper of those looks for a `require`.
const banner = `import { createRequire as __createRequire } from 'node:module';
const require = __createRequire(import.meta.url);`;

await build({
  entryPoints: [entry],
  outfile,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  external: ['koffi', 'cap', 'raw-socket'],
  banner: { js: banner },
  logLevel: 'warning',
  legalComments: 'eof',
});

const text = readFileSync(outfile, 'utf8');
if (!text.startsWith('#!')) writeFileSync(outfile, `#!/usr/bin/env node\n${text}`);
chmodSync(outfile, 0o755);
