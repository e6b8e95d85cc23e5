// Scripts as real processes, run as ucarp's execv runs them.

import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { hooks } from '../../src/net/linux/hooks.js';
import type { HookResult } from '../../src/net/ports.js';

let folder = '';
const before = process.cwd();

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tscarp-hooks-'));
});
beforeEach(() => {
  process.chdir(folder);
});
afterEach(() => {
  process.chdir(before);
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function write(name: string, content: string, mode = 0o755): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
}

/** A script whose words go to a file, since its output is ours. */
function script(name: string, body: string): string {
  return write(name, `#!/bin/sh\n${body}\n`);
}

function run(
  path: string,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<HookResult> {
  return hooks.run({ path, args, env });
}

const done = { status: 0, problem: undefined };

describe('what a script gets', () => {
  test('its arguments as they are, an empty one too, and its own path for a name', async () => {
    const path = script('words', `printf '%s|' "$0" "$#" "$@" > ${folder}/words.out`);
    expect(await run(path, ['eth1:0', '10.0.0.10', ''])).toMatchObject(done);
    expect(readFileSync(join(folder, 'words.out'), 'utf8')).toBe(`${path}|3|eth1:0|10.0.0.10||`);
  });

  test('no shell between: nothing is expanded', async () => {
    const path = script('literal', `printf '%s' "$1" > ${folder}/literal.out`);
    await run(path, ['$HOME; touch *']);
    expect(readFileSync(join(folder, 'literal.out'), 'utf8')).toBe('$HOME; touch *');
  });

  test('the environment, and what was added to it', async () => {
    process.env['TSCARP_TEST_INHERITED'] = 'yes';
    const path = script(
      'environment',
      `printf '%s' "$TSCARP_TEST_INHERITED $TSCARP_STATE $PATH" > ${folder}/environment.out`,
    );
    await run(path, [], { TSCARP_STATE: 'master' });
    delete process.env['TSCARP_TEST_INHERITED'];
    const text = readFileSync(join(folder, 'environment.out'), 'utf8');
    expect(text).toBe(`yes master ${process.env['PATH']}`);
  });
});

describe('what comes of a script', () => {
  test('its time is measured', async () => {
    const { milliseconds } = await run(script('slow', 'sleep 0.1'));
    expect(milliseconds).toBeGreaterThan(99);
  });

  test('its exit status', async () => {
    expect(await run(script('fails', 'exit 3'))).toMatchObject({
      status: 3,
      problem: 'exit status 3',
    });
  });

  test('the signal that ended it, with the status that a shell would give it', async () => {
    expect(await run(script('dies', 'kill -KILL $$'))).toMatchObject({
      status: 137,
      problem: 'ended by SIGKILL',
    });
  });

  test('a child that it leaves behind with its output open is not waited for', async () => {
    const path = script('leaves', `sleep 30 & echo $! > ${folder}/leaves.pid`);
    const { milliseconds } = await run(path);
    process.kill(Number(readFileSync(join(folder, 'leaves.pid'), 'utf8')));
    expect(milliseconds).toBeLessThan(10_000);
  });
});

describe('where a script is looked for', () => {
  test('a path without slash in the current directory and not along PATH', async () => {
    mkdirSync(join(folder, 'along-path'), { recursive: true });
    write('along-path/onlyinpath', '#!/bin/sh\n');
    const path = process.env['PATH'];
    process.env['PATH'] = `${join(folder, 'along-path')}:${path}`;
    const missing = await run('onlyinpath');
    process.env['PATH'] = path;
    expect(missing).toMatchObject({ status: undefined, problem: 'No such file or directory' });
    script('here', `printf '%s' "$1" > ${folder}/here.out`);
    expect(await run('here', ['x'])).toMatchObject(done);
    expect(readFileSync(join(folder, 'here.out'), 'utf8')).toBe('x');
  });

  test('a path with a slash from the current directory', async () => {
    mkdirSync(join(folder, 'sub'), { recursive: true });
    script('sub/there', 'exit 0');
    expect(await run('sub/there')).toMatchObject(done);
    expect(await run('./sub/../sub/there')).toMatchObject(done);
  });
});

describe('what cannot be run', () => {
  test.each([
    ['a file that is missing', () => join(folder, 'nosuch'), 'No such file or directory'],
    [
      'a script whose interpreter is missing',
      () => write('uninterpreted', '#!/nosuch/interpreter\n'),
      'No such file or directory',
    ],
    [
      'a file that is not executable',
      () => write('plain', '#!/bin/sh\n', 0o644),
      'Permission denied',
    ],
    ['a directory', () => folder, 'Permission denied'],
    [
      'a text without #!, which the C library would give to a shell',
      () => write('formless', 'touch formless.ran\n'),
      'Exec format error (does it begin with #! ?)',
    ],
    ['an empty file', () => write('empty', ''), 'Exec format error (does it begin with #! ?)'],
    ['a file for a directory', () => join(write('file', ''), 'x'), 'Not a directory'],
    ['a name that is too long', () => join(folder, 'x'.repeat(300)), 'File name too long'],
  ])('%s', async (_, prepare, problem) => {
    expect(await run(prepare())).toEqual({
      status: undefined,
      problem,
      milliseconds: expect.any(Number),
    });
    expect(existsSync(join(folder, 'formless.ran'))).toBe(false);
  });

  test('arguments that are too many', async () => {
    const result = await run(script('big', ''), ['x'.repeat(200_000)]);
    expect(result).toMatchObject({ status: undefined, problem: 'Argument list too long' });
  });

  test('a program is no text and runs', async () => {
    const path = write('copy', '');
    writeFileSync(path, readFileSync('/bin/true'));
    expect(await run(path)).toMatchObject(done);
  });

  test('a program that is being written', async () => {
    const path = write('busy', '');
    writeFileSync(path, readFileSync('/bin/true'));
    const writer: ChildProcess = spawn('sh', ['-c', `exec 3>>${path}; echo; read x`]);
    await new Promise((resolve) => writer.stdout?.once('data', resolve));
    const result = await run(path);
    writer.stdin?.end('\n');
    await new Promise((resolve) => writer.once('close', resolve));
    expect(result).toMatchObject({ status: undefined, problem: 'Text file busy' });
  });
});

describe('what can be said of a script before it runs', () => {
  test.each<[string, () => string, string | RegExp | undefined]>([
    ['nothing against one that can', () => script('fine', ''), undefined],
    ['that it is missing', () => '/nonexistent/up', 'No such file or directory'],
    ['that it may not be run', () => write('plain', '#!/bin/sh\n', 0o644), 'Permission denied'],
    ['that it names no interpreter', () => write('bare', 'exit 0\n'), /^Exec format error/],
  ])('%s', (_, prepare, expected) => {
    const problem = hooks.problem(prepare());
    if (expected instanceof RegExp) expect(problem).toMatch(expected);
    else expect(problem).toBe(expected);
    expect(existsSync(join(folder, 'fine.ran'))).toBe(false);
  });
});
