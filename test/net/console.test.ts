// What a daemon writes to where nobody reads: it must go on at once, and lose nothing where
// somebody does read.

import { execFile, spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openConsole } from '../../src/net/linux/console.js';
import { buildProgram, type Program } from '../fakes/bundle.js';

const execute = promisify(execFile);
let program: Program | undefined;
let folder = '';

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tscarp-console-'));
  program = await buildProgram(new URL('console-program.ts', import.meta.url), 'console-program');
});
afterAll(() => {
  program?.remove();
  rmSync(folder, { recursive: true, force: true });
});

const python = `
import os, pty, socket, subprocess, sys
kind, *command = sys.argv[1:]
if kind == 'pipe': reader, writer = os.pipe()
elif kind == 'terminal': reader, writer = pty.openpty()
else:
    ends = socket.socketpair(); reader, writer = ends[0].fileno(), ends[1].fileno()
child = subprocess.Popen(command, stdout=writer, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
out = child.communicate(timeout=10)[1]
# Who else has the descriptor must not find it changed.
print(out.decode(), os.get_blocking(writer), end='')
sys.exit(child.returncode)
`;
const hasPython = spawnSync('python3', ['-c', '']).status === 0;

describe.runIf(hasPython || process.env['CI'] === 'true')('where nobody reads', () => {
  test.each(['pipe', 'terminal', 'socket'])('a full %s holds nobody up', async (kind) => {
    const words = [kind, process.execPath, program?.file ?? '', '20000'];
    const { stdout } = await execute('python3', ['-c', python, ...words], { timeout: 15_000 });
    const [written, blocking] = stdout.split(' ');
    expect(Number(written)).toBeGreaterThan(10);
    expect(Number(written)).toBeLessThan(20_000);
    expect(blocking).toBe('True');
  });
});

test('a file gets everything, at the place where others go on', () => {
  const file = join(folder, 'out');
  const fd = openSync(file, 'w');
  spawnSync('sh', ['-c', 'echo before'], { stdio: ['ignore', fd, 'ignore'] });
  spawnSync(process.execPath, [program?.file ?? '', '3'], { stdio: ['ignore', fd, 'ignore'] });
  spawnSync('sh', ['-c', 'echo after'], { stdio: ['ignore', fd, 'ignore'] });
  closeSync(fd);
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  expect(lines.map((line) => line.trim())).toEqual(['before', '0', '1', '2', 'after']);
});

test('a pipe that is read gets everything', async () => {
  const command = `'${process.execPath}' '${program?.file}' 300 | (sleep 0.2; wc -l)`;
  const { stdout } = await execute('sh', ['-c', command]);
  expect(stdout.trim()).toBe('300');
});

describe('a line is lost', () => {
  test('on a full disk', () => {
    const full = openSync('/dev/full', 'w');
    expect(openConsole(full)('lost\n')).toBe(false);
    closeSync(full);
  });

  test('on a closed descriptor', () => {
    expect(openConsole(999)('lost\n')).toBe(false);
  });
});
