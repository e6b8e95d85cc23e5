// Log lines as they arrive on descriptors, and what becomes of them where nothing arrives.

import { execFile, execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { consoleLine, createLogger, type LogOptions, writeLine } from '../../src/daemon/log.js';
import { buildProgram, type Program } from '../fakes/bundle.js';

const execute = promisify(execFile);
let program: Program | undefined;
let folder = '';

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tscarp-log-'));
  program = await buildProgram(new URL('log-program.ts', import.meta.url), 'log-program');
});
afterAll(() => {
  program?.remove();
  rmSync(folder, { recursive: true, force: true });
});
afterEach(() => {
  vi.useRealTimers();
});

interface Printed {
  readonly stdout: readonly string[];
  readonly stderr: readonly string[];
}

type ProgramOptions = Omit<LogOptions, 'sinks' | 'console'> & { readonly console: boolean };

const stamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}: /;

/** What the program prints; of text, timestamps are checked and taken away. */
async function print(options: ProgramOptions): Promise<Printed> {
  const { stdout, stderr } = await execute(process.execPath, [
    program?.file ?? '',
    JSON.stringify(options),
  ]);
  const lines = (text: string): readonly string[] =>
    text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        if (options.format === 'json' || line.startsWith('sink: ')) return line;
        expect(line).toMatch(stamp);
        return line.replace(stamp, '');
      });
  return { stdout: lines(stdout), stderr: lines(stderr) };
}

const text = (level: string): string => `[${level.toUpperCase()}] 100% of "${level}" %s %o`;
const options = { format: 'text', personality: 'tscarp', debug: true, console: true } as const;

describe('text', () => {
  test('of tscarp goes to standard error', async () => {
    const { stdout, stderr } = await print(options);
    expect(stderr).toEqual(['debug', 'info', 'warning', 'error'].map(text));
    expect(stdout).toHaveLength(1);
  });

  test('of ucarp goes to standard error only from a warning on', async () => {
    const { stdout, stderr } = await print({ ...options, personality: 'ucarp' });
    expect(stdout.slice(0, 2)).toEqual(['debug', 'info'].map(text));
    expect(stderr).toEqual(['warning', 'error'].map(text));
  });

  test('leaves the debug level out unless it is asked for', async () => {
    const { stdout, stderr } = await print({ ...options, debug: false });
    expect(stderr).toEqual(['info', 'warning', 'error'].map(text));
    expect(stdout.at(-1)).not.toContain('debug');
  });

  test('goes to the sinks alone where there is no console', async () => {
    const { stdout, stderr } = await print({ ...options, console: false });
    expect(stderr).toEqual([]);
    const sunk = ['debug', 'info', 'warning', 'error'].map((level) => `${level} ${text(level)}`);
    expect(stdout).toEqual([`sink: ${JSON.stringify(sunk)}`]);
  });
});

test('lines that the console does not take are counted for who reads the next one', () => {
  const lines: string[] = [];
  let full = false;
  const stderr = (text: string): boolean => {
    if (!full) lines.push(text.replace(stamp, ''));
    return !full;
  };
  const logger = createLogger({
    ...options,
    console: { stdout: stderr, stderr },
    sinks: [],
  });
  for (const state of [false, true, true, true, false, false]) {
    full = state;
    logger.log('info', 'x');
  }
  expect(lines).toEqual([
    '[INFO] x\n',
    '[INFO] x\n',
    '[WARNING] 3 lines before this could not be written here\n',
    '[INFO] x\n',
  ]);
});

describe('JSON', () => {
  test('is one object a line, with the facts, and text for the sinks all the same', async () => {
    const { stdout, stderr } = await print({ ...options, format: 'json' });
    expect(stderr.map((line) => JSON.parse(line))).toEqual(
      ['debug', 'info', 'warning', 'error'].map((level) => ({
        level,
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        vhid: 1,
        to: 'master',
        msg: `100% of "${level}" %s %o`,
      })),
    );
    expect(stdout.at(-1)).toContain(JSON.stringify(text('error')).slice(1, -1));
  });

  test('is split over the outputs under the name ucarp', async () => {
    const { stdout, stderr } = await print({ ...options, format: 'json', personality: 'ucarp' });
    expect(stdout).toHaveLength(3);
    expect(stderr.map((line) => JSON.parse(line).level)).toEqual(['warning', 'error']);
  });
});

describe('a timestamp', () => {
  test('is local time with microseconds', () => {
    vi.useFakeTimers({ now: new Date(2026, 0, 2, 3, 4, 5, 678), toFake: ['Date'] });
    expect(consoleLine('warning', 'x')).toMatch(/^2026-01-02T03:04:05\.67[89]\d{3}: \[WARNING] x$/);
  });

  test('has six digits after the second', () => {
    const at = new Date(2026, 0, 2, 3, 4, 5, 6).getTime();
    expect(consoleLine('info', 'x', at)).toBe('2026-01-02T03:04:05.006000: [INFO] x');
    expect(consoleLine('info', 'x', at + 0.5)).toBe('2026-01-02T03:04:05.006500: [INFO] x');
  });

  test('follows the wall clock when that is stepped', () => {
    vi.useFakeTimers({ now: new Date(2026, 0, 2, 3, 4, 5), toFake: ['Date'] });
    consoleLine('info', 'before');
    vi.setSystemTime(new Date(2025, 5, 1, 12));
    expect(consoleLine('info', 'x')).toMatch(/^2025-06-01T12:00:00\.0/);
    vi.setSystemTime(new Date(2027, 5, 1, 12));
    expect(consoleLine('info', 'x')).toMatch(/^2027-06-01T12:00:00\.0/);
  });

  test('never goes back while the wall clock does not', () => {
    const stamps = Array.from({ length: 20_000 }, () => consoleLine('info', ''));
    expect(stamps).toEqual([...stamps].sort());
  });
});

describe('a console that does not take a line', () => {
  test('is a full disk', () => {
    const full = openSync('/dev/full', 'w');
    writeLine(full, 'lost\n');
    closeSync(full);
  });

  test('is a closed descriptor', () => {
    const closed = openSync('/dev/null', 'w');
    closeSync(closed);
    writeLine(closed, 'lost\n');
  });

  test('is a full pipe, and then one that nobody reads any more', () => {
    const fifo = join(folder, 'fifo');
    execFileSync('mkfifo', [fifo]);
    const reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
    const writer = openSync(fifo, constants.O_WRONLY | constants.O_NONBLOCK);
    for (let count = 0; count < 100; count += 1) writeLine(writer, 'x'.repeat(4_096));
    closeSync(reader);
    writeLine(writer, 'lost\n');
    closeSync(writer);
  });

  test('takes the next one again', () => {
    const file = join(folder, 'out');
    const out = openSync(file, 'w');
    writeLine(out, 'taken\n');
    closeSync(out);
    expect(readFileSync(file, 'utf8')).toBe('taken\n');
  });
});
