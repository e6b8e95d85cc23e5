// Bundles bin/tscarp.ts for Node 20 and newer into the directory given, with its dependencies,
// except those that are native. What is imported with `await import()` becomes a chunk beside it,
// so the daemon's path reads one file. Usage: node scripts/build.mjs OUTDIR [ENTRY]

import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';

const [outdir = 'dist/bin', entry = 'bin/tscarp.ts'] = process.argv.slice(2);

// pino and yargs' parts are CommonJS; esbuild's wrapper of those looks for a `require`.
const banner = `import { createRequire as __createRequire } from 'node:module';
const require = __createRequire(import.meta.url);`;

await build({
  entryPoints: { tscarp: entry },
  outdir,
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  external: ['koffi', 'cap', 'raw-socket'],
  banner: { js: banner },
  logLevel: 'warning',
  legalComments: 'eof',
});

const program = `${outdir}/tscarp.js`;
const text = readFileSync(program, 'utf8');
if (!text.startsWith('#!')) writeFileSync(program, `#!/usr/bin/env node\n${text}`);
chmodSync(program, 0o755);
