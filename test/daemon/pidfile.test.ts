// The pid file, and whose it is.

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { writePidfile } from '../../src/daemon/pidfile.js';

let folder = '';
let path = '';
let warnings: string[] = [];
const warn = (text: string): unknown => warnings.push(text);
const gone = 4_194_305; // more than a process id can be

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tscarp-pid-'));
  path = join(folder, 'tscarp.pid');
  warnings = [];
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

test('names this process, on a line, and is removed', () => {
  const pidfile = writePidfile(path, warn);
  expect(readFileSync(path, 'utf8')).toBe(`${process.pid}\n`);
  pidfile.remove();
  expect(existsSync(path)).toBe(false);
  expect(warnings).toEqual([]);
});

test.each([
  ['a process that is gone', `${gone}\n`],
  ['this process, which has the number of an earlier one', `${process.pid}\n`],
  ['a number that is none of a process', '-1\n'],
  ['nothing', ''],
])('that names %s is replaced without a word', (_, content) => {
  writeFileSync(path, content);
  writePidfile(path, warn);
  expect(readFileSync(path, 'utf8')).toBe(`${process.pid}\n`);
  expect(warnings).toEqual([]);
});

test('that names a living process is replaced with a warning', () => {
  writeFileSync(path, '1\n');
  writePidfile(path, warn);
  expect(readFileSync(path, 'utf8')).toBe(`${process.pid}\n`);
  expect(warnings).toEqual([
    `The pid file ${path} named the living process 1; it names this one now`,
  ]);
});

test('that another process has taken over meanwhile is left to it', () => {
  const pidfile = writePidfile(path, warn);
  writeFileSync(path, '1\n');
  pidfile.remove();
  expect(readFileSync(path, 'utf8')).toBe('1\n');
});

test('that somebody has removed is no trouble at the end', () => {
  const pidfile = writePidfile(path, warn);
  rmSync(folder, { recursive: true });
  pidfile.remove();
  expect(warnings).toEqual([]);
});

test('that cannot be written is an error, and nothing is left of it', () => {
  expect(() => writePidfile(join(folder, 'nosuch/pid'), warn)).toThrow(/ENOENT/);
  mkdirSync(`${path}.${process.pid}`);
  expect(() => writePidfile(path, warn)).toThrow();
  expect(existsSync(path)).toBe(false);
});

test('that is something else is an error, and is not touched', () => {
  expect(() => writePidfile(folder, warn)).toThrow(`${folder} is not a regular file`);
  expect(() => writePidfile('/dev/full', warn)).toThrow('/dev/full is not a regular file');
  for (const content of ['hello\n', `${'1'.repeat(33)}\n`]) {
    writeFileSync(path, content);
    expect(() => writePidfile(path, warn)).toThrow(/is no pid file; it stays$/);
    expect(readFileSync(path, 'utf8')).toBe(content);
  }
});
