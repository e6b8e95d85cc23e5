// The repository's own rules, held by reading the sources: which layer may import which, how long
// files and lines may be, how a file opens, what must not be left behind, and what the README and
// the CHANGELOG owe to package.json. Every failure names the file, the line and what to do.

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const self = 'test/tidy.test.ts';
const maxLines = 400;
const maxColumns = 100;

interface Source {
  readonly path: string;
  readonly lines: readonly string[];
}

function read(path: string): Source {
  return { path, lines: readFileSync(join(root, path), 'utf8').replace(/\n$/, '').split('\n') };
}

const sources = ['src', 'bin', 'test', 'scripts', '.ci']
  .flatMap((top) =>
    readdirSync(join(root, top), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => normalize(join(entry.parentPath, entry.name)).slice(root.length)),
  )
  .filter((path) => /\.(?:ts|mjs|sh)$|^\.ci\/run$/.test(path))
  .sort()
  .map(read);

// What the files under `of` may import from the repository; the first row that fits decides.
// Whoever is to be tested without a kernel may not reach net/linux.
const ports = ['src/net/ports.ts', 'src/net/errors.ts', 'src/net/lines.ts'];
const layers: readonly { of: string; may: readonly string[] }[] = [
  { of: 'src/protocol/', may: ['src/protocol/'] },
  { of: 'src/net/linux/', may: ['src/net/', 'src/protocol/'] },
  { of: 'src/net/', may: ['src/net/clock.ts', 'src/net/hmac.ts', ...ports, 'src/protocol/'] },
  { of: 'src/daemon/', may: ['src/daemon/', ...ports, 'src/protocol/', 'src/version.ts'] },
  { of: 'src/lab/', may: ['src/lab/', ...ports, 'src/protocol/'] },
  { of: 'src/index.ts', may: ['src/daemon/', ...ports, 'src/protocol/', 'src/version.ts'] },
  { of: 'src/version.ts', may: [] },
  { of: 'src/cli/', may: ['src/'] },
  { of: 'bin/', may: ['src/'] },
];

/** Each specifier that a line imports or exports from, also dynamically. */
function importsOf(line: string): string[] {
  return [...line.matchAll(/\b(?:from|import)\s*\(?\s*['"]([^'"]+)['"]/g)].map((m) => m[1] ?? '');
}

/** The problem with one import, or nothing. */
function importProblem(path: string, specifier: string): string | undefined {
  const layer = layers.find(({ of }) => path.startsWith(of));
  if (layer === undefined) return undefined;
  if (!specifier.startsWith('.')) {
    const pure = layer.of === 'src/protocol/';
    return pure ? `imports ${specifier}, but protocol imports only itself` : undefined;
  }
  const target = normalize(join(dirname(path), specifier)).replace(/\.js$/, '.ts');
  if (target === 'package.json' || layer.may.some((prefix) => target.startsWith(prefix))) {
    return undefined;
  }
  const allowed = layer.may.length === 0 ? 'nothing' : layer.may.join(', ');
  return `imports ${target}, but ${layer.of} may import ${allowed}`;
}

/** Complaints of a rule about single lines, as "path:line: complaint". */
function complaints(
  files: readonly Source[],
  rule: (line: string, path: string) => readonly string[],
): string[] {
  return files.flatMap(({ path, lines }) =>
    lines.flatMap((line, index) => rule(line, path).map((text) => `${path}:${index + 1}: ${text}`)),
  );
}

function whenMatched(pattern: RegExp, text: string): (line: string) => string[] {
  return (line) => (pattern.test(line) ? [text] : []);
}

it('finds sources to read in every place that holds them', () => {
  for (const top of ['src/protocol/', 'src/net/', 'src/daemon/', 'test/', 'scripts/', '.ci/']) {
    expect(sources.filter(({ path }) => path.startsWith(top)).length, top).toBeGreaterThan(0);
  }
});

it('sees an import in each of its forms', () => {
  expect(importsOf("import { a } from './a.js';")).toEqual(['./a.js']);
  expect(importsOf("} from './b.js';")).toEqual(['./b.js']);
  expect(importsOf("import './c.js';")).toEqual(['./c.js']);
  expect(importsOf("const d = await import('./d.js');")).toEqual(['./d.js']);
  expect(importsOf("export { e } from './e.js';")).toEqual(['./e.js']);
});

it('refuses an import against the direction of the layers', () => {
  expect(importProblem('src/protocol/arp.ts', 'node:net')).toMatch('only itself');
  expect(importProblem('src/protocol/carp/machine.ts', '../units.js')).toBeUndefined();
  expect(importProblem('src/daemon/run.ts', '../net/linux/addresses.js')).toMatch('may import');
  expect(importProblem('src/daemon/run.ts', '../net/ports.js')).toBeUndefined();
  expect(importProblem('src/net/clock.ts', './linux/libc.js')).toMatch('may import');
  expect(importProblem('src/cli/run.ts', '../net/linux/addresses.js')).toBeUndefined();
});

it('imports in one direction: bin, cli, daemon, net/ports, protocol', () => {
  const wrong = complaints(sources, (line, path) =>
    importsOf(line).flatMap((specifier) => importProblem(path, specifier) ?? []),
  );
  expect(wrong).toEqual([]);
});

it(`keeps every file to ${maxLines} lines`, () => {
  const wrong = sources
    .filter(({ lines }) => lines.length > maxLines)
    .map(({ path, lines }) => `${path}: ${lines.length} lines; split it`);
  expect(wrong).toEqual([]);
});

it(`keeps every line to ${maxColumns} columns`, () => {
  const wrong = complaints(sources, (line) =>
    [...line].length > maxColumns ? [`${[...line].length} columns; break the line`] : [],
  );
  expect(wrong).toEqual([]);
});

it('opens every source file with a comment that says what it is', () => {
  const wrong = sources
    .filter(({ lines }) => !/^(?:\/\/ |\/\*\*? |# )\S/.test(opening(lines)))
    .map(({ path }) => `${path}:1: open with one to six lines that say what this file is`);
  expect(wrong).toEqual([]);
});

function opening(lines: readonly string[]): string {
  return (lines[0]?.startsWith('#!') ? lines[1] : lines[0]) ?? '';
}

it('leaves no work for later without saying why', () => {
  const bare = /\b(?:TODO|FIXME|XXX|HACK)\b(?!\([^)]{8,}\))/;
  const rule = whenMatched(bare, 'give the reason in brackets: TODO(the reason)');
  expect(complaints(othersThanThis(), rule)).toEqual([]);
});

it('leaves no test that shuts out the others', () => {
  const only = /\b(?:it|test|describe|suite)(?:\.\w+)*\.only\b/;
  const rule = whenMatched(only, 'the other tests of this file do not run; take .only away');
  expect(complaints(othersThanThis(), rule)).toEqual([]);
});

it('says nothing about who wrote it', () => {
  const author = /@author\b|\b(?:co-authored|signed-off)-by\b|\bwritten by (?:me|us|an?)\b/i;
  const rule = whenMatched(author, 'the history of a file is in git; take this away');
  const texts = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'CHANGELOG.md'].map(read);
  expect(complaints([...othersThanThis(), ...texts], rule)).toEqual([]);
});

it('has an entry in the CHANGELOG for the version of package.json', () => {
  const { version } = JSON.parse(read('package.json').lines.join('\n')) as { version: string };
  const headings = read('CHANGELOG.md').lines.filter((line) => line.startsWith('## '));
  const found = headings.some((line) => line.replaceAll(/[[\]]/g, '').split(/\s+/)[1] === version);
  expect(found, `CHANGELOG.md has no heading "## ${version}"`).toBe(true);
});

it.each(['npm run lab', 'npm test'])('names the command `%s` in the README', (command) => {
  const alone = read('README.md').lines.some((line) => line.replace(/#.*/, '').trim() === command);
  expect(alone, `README.md has no line that is the command ${command}`).toBe(true);
});

function othersThanThis(): Source[] {
  return sources.filter(({ path }) => path !== self);
}
