// The command line under the name ucarp against the real ucarp: same verdict, exit status and lines
// on stderr. The interface does not exist, so that an accepted line ends at once, without any
// privilege, with ucarp's two lines about its hardware address; those stand for our side's `run`.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseCommandLine } from '../../src/cli/command-line.js';

const ucarp = '/usr/sbin/ucarp';
const installed = existsSync(ucarp);

interface Verdict {
  readonly accepted: boolean;
  readonly usageShown: boolean;
  /** Undefined for an accepted line, where ucarp goes on to fail for want of the interface. */
  readonly status: number | undefined;
  /** Without time stamps. */
  readonly stderr: readonly string[];
}

const noInterface = [
  '[ERROR] Unable to get hardware info about an interface: No such device',
  '[ERROR] Unable to find MAC address of [nosuch0]',
];

function linesOf(text: string): readonly string[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => line.replace(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}: /, ''));
}

/** A low limit of open files, because under -B ucarp tries to close each possible one. */
function askUcarp(argv: readonly string[], env: Readonly<Record<string, string>> = {}): Verdict {
  const start = 'ulimit -n 64; exec -a ucarp "$0" "$@"';
  const { status, stdout, stderr, error } = spawnSync(
    'bash',
    ['--norc', '-c', start, ucarp, ...argv],
    {
      env: { LC_ALL: 'C', ...env },
      encoding: 'utf8',
      timeout: 10_000,
    },
  );
  if (error !== undefined) throw error;
  const lines = linesOf(stderr);
  const usageShown = stdout.includes('Sample usage:');
  const foreground = lines.slice(-2).join() === noInterface.join();
  // In the background it exits 0, without the usage text, before it looks for the interface.
  const background = status === 0 && stdout === '';
  const accepted = foreground || background;
  return {
    accepted,
    usageShown,
    status: accepted ? undefined : (status ?? -1),
    stderr: foreground ? lines.slice(0, -2) : lines,
  };
}

function askOurs(argv: readonly string[], env: Readonly<Record<string, string>> = {}): Verdict {
  const line = parseCommandLine(argv, {
    personality: 'ucarp',
    programName: 'ucarp',
    version: '0.0.0',
    env,
    readFile: readFileSync,
  });
  if (line.type === 'run') {
    const stderr = line.messages
      .filter(({ level, console }) => console && /warning|error/.test(level))
      .map(({ level, text }) => `[${level.toUpperCase()}] ${text}`);
    return { accepted: true, usageShown: false, status: undefined, stderr };
  }
  const on = (wanted: string): string => {
    return line.output.flatMap(({ stream, text }) => (stream === wanted ? [text] : [])).join('');
  };
  return {
    accepted: false,
    usageShown: on('stdout').includes('Usage: '),
    status: line.status,
    stderr: linesOf(on('stderr')),
  };
}

const directory = mkdtempSync(join(tmpdir(), 'tscarp-differential-'));
afterAll(() => rmSync(directory, { recursive: true }));

const files = {
  good: 'love\n',
  empty: '',
  blank: '\nlove\n',
  nul: '\0love\n',
  carriage: 'love\r\n',
  long: `${'x'.repeat(30)}\n`,
  nineteen: 'x'.repeat(19),
};
beforeAll(() => {
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(directory, name), content);
  }
});
const file = (name: keyof typeof files | 'none'): string => join(directory, name);

const dev = ['-i', 'nosuch0'];
const full = [...dev, '-v', '1', '-p', 'x', '-s', '10.0.0.1', '-a', '10.0.0.5'];
const scripts = ['-u', '/up', '-d', '/down'];
const quiet = [...full, ...scripts];

const table: readonly (readonly string[])[] = [
  [],
  ['-h'],
  ['--help'],
  ['--he'],
  ['-v', '300', '-h'],
  ['-h', '-v', '300'],
  // What getopt says.
  ['--foo'],
  ['--foo=bar'],
  ['--no-preempt'],
  ['--syslog'],
  ['-y'],
  ['-Pyz'],
  ['-:'],
  ['-p'],
  ['-Pzp'],
  ['--pass'],
  ['--src'],
  ['--preempt=yes'],
  ['--pree='],
  ['--p'],
  ['--p=x'],
  ['--pas', 'x'],
  ['--s'],
  ['--d'],
  ['--n'],
  ['--i'],
  ['--a'],
  ['--adv=1'],
  ['--=x'],
  [...quiet, '--foo'],
  [...quiet, '-B', '--foo'],
  // Spellings that are understood.
  full,
  quiet,
  [...full, '-u', '/up'],
  [...full, '-d', '/down'],
  [...full, '-u', '', '-d', ''],
  ['-inosuch0', '-v1', '-px', '-s10.0.0.1', '-a10.0.0.5'],
  ['--inter=nosuch0', '--vh=1', '--pass=x', '--src=10.0.0.1', '--addr=10.0.0.5', '--up=/u'],
  [...quiet, '-PznSM'],
  [...quiet, '--pre', '--neu', '--shut', '--ign', '--nom', '--debu'],
  [...quiet, '-p', '-secret'],
  [...quiet, '--pass', '--foo'],
  [...quiet, '-x', '--foo'],
  [...quiet, '-p', '--'],
  ['word', ...quiet, 'word', '-'],
  [...quiet, '--', '--foo', '-v', '300'],
  ['--', ...quiet],
  [...quiet, '-B'],
  [...full, '-B'],
  // Numbers.
  ...[
    '',
    '0',
    '1',
    '255',
    '256',
    '257',
    '-1',
    '-255',
    '+7',
    ' 9',
    '1abc',
    'abc',
    '0x10',
    '0xfff',
  ].map((number) => [...quiet, '-v', number]),
  ...['008', '009', '010', '018', '0377', '0400', '0x', '4294967297', '18446744073709551617'].map(
    (number) => [...quiet, `--vhid=${number}`],
  ),
  ...['0', '256', '-256', 'junk', '08', '512', '1', '-1', '0x100', '18446744073709551616'].map(
    (number) => [...quiet, '-b', number],
  ),
  [...quiet, '-b', '0', '-k', '1'],
  [...quiet, '-b', '0', '-k', '256'],
  ...['0', 'junk', '4294967296', '4294967297', '-1', '1', '08'].map((number) => {
    return [...quiet, '-r', number];
  }),
  [...full, '-r', '0'],
  // Addresses.
  ...[
    '',
    '0.0.0.0',
    '10.0.0.1/24',
    '010.0.0.1',
    '10.0.1',
    ' 10.0.0.1',
    '10.0.0.1 ',
    '256.0.0.1',
  ].flatMap((address) => [
    [...quiet, '-s', address],
    [...quiet, '-a', address],
  ]),
  ...['2001:db8::1', '[2001:db8::100]/64', '-B', '255.255.255.255', '1.2.3.4.5'].map((address) => {
    return [...quiet, '-a', address];
  }),
  [...dev, '-s', '-B', '-z', '-v', '3', '-p', 'x', '-a', '10.0.0.5'],
  [...quiet, '--mcast', '10.0'],
  [...quiet, '--mcast=224.0.0.99'],
  // What is missing, and in which order that is found.
  dev,
  [...dev, '-v', '1'],
  [...dev, '-v', '1', '-p', ''],
  [...dev, '-v', '1', '-p', 'x'],
  [...dev, '-v', '1', '-p', 'x', '-b', '0'],
  [...dev, '-v', '1', '-p', 'x', '-s', '10.0.0.1'],
  [...dev, '-p', 'x', '-s', '10.0.0.1', '-a', '10.0.0.5'],
  [...dev, '-v', '1', '-s', '10.0.0.1', '-a', '10.0.0.5'],
  [...dev, '-v', '1', '-p', 'x', '-a', '10.0.0.5'],
  [...quiet, '-v', '300', '-s', 'x'],
  [...quiet, '-s', 'x', '-v', '300'],
  // Silence.
  ['-B', '-v', '300'],
  ['-v', '300', '-B'],
  ['-Bv300'],
  [...quiet, '-f', 'bogus', '-B'],
  // Facilities.
  ...['bogus', '', 'none', 'NONE', 'Local7', 'local8', 'security', 'mark', 'ftp'].map((name) => {
    return [...quiet, '-f', name];
  }),
  [...quiet, '-f', 'bogus', '-f', 'stdout'],
  // Passwords.
  [...quiet, '-p', 'x'.repeat(19)],
  [...quiet, '-p', 'x'.repeat(20)],
  [...full, '-p', 'x'.repeat(20)],
  [...quiet, '-p', 'é'.repeat(9)],
  [...quiet, '-p', 'é'.repeat(10)],
  [...quiet, '-p', 'x'.repeat(20), '-o', file('good')],
  [...quiet, '-o', file('good'), '-p', ''],
  ...(['good', 'empty', 'blank', 'nul', 'carriage', 'long', 'nineteen', 'none'] as const).map(
    (name) => [...quiet, '-o', file(name)],
  ),
  [...quiet, '-o', '/'],
  [...quiet, '-o', ''],
  [...quiet, '-o', '/dev/null'],
  [...quiet, '-o', `${file('good')}/below`],
  [...quiet, '-o', `/${'x'.repeat(300)}`],
  [...quiet, '-o', file('none'), '-v', '300'],
];

it('ucarp is installed where every test must run', () => {
  expect(installed || process.env['CI'] === undefined).toBe(true);
});

describe.skipIf(!installed)('the same verdict, status and messages as ucarp', () => {
  it.each(table.map((argv) => [argv]))('%j', (argv) => {
    expect(askOurs(argv)).toEqual(askUcarp(argv));
  });

  it('POSIXLY_CORRECT stops both at the first word', () => {
    const env = { POSIXLY_CORRECT: '1' };
    const argv = [...quiet, 'word', '--foo'];
    expect(askOurs(argv, env)).toEqual(askUcarp(argv, env));
    expect(askOurs(argv, env).accepted).toBe(true);
    expect(askOurs(argv).accepted).toBe(false);
  });

  it('the table has lines that are accepted and of every exit status', () => {
    const verdicts = table.map((argv) => askOurs(argv));
    expect(new Set(verdicts.map(({ status }) => status))).toEqual(new Set([undefined, 0, 1, 2]));
    expect(table.length).toBeGreaterThan(100);
  });

  it('random lines are judged alike', { timeout: 60_000 }, () => {
    const value = fc.constantFrom(
      '1',
      '0',
      '010',
      '10.0.0.9',
      'x',
      '',
      '-P',
      '--',
      'local1',
      '300',
    );
    const name = fc.constantFrom('v', 'p', 's', 'a', 'b', 'k', 'r', 'u', 'd', 'x', 'f', 'o');
    const start = fc.constantFrom('pas', 'pass', 'src', 'up', 'ad', 'addr', 'v', 'dead', 'no', 'q');
    const word = fc.oneof(
      value,
      name.map((letter) => `-${letter}`),
      fc.tuple(name, value).map(([letter, text]) => `-P${letter}${text}`),
      start.map((text) => `--${text}`),
      fc.tuple(start, value).map(([text, given]) => `--${text}=${given}`),
      fc.constantFrom('-P', '-z', '-nSM', '--neutral', '--shut', '-B'),
    );
    // The interface is named first and by nothing else, so that no real one is ever used.
    const line = fc.oneof(
      fc.array(word).map((words) => [...dev, ...words]),
      fc.array(word, { maxLength: 3 }).map((words) => [...full, ...words]),
    );
    // Where ucarp detaches before it looks, our side refuses at once: see the next test.
    const tooLong = (argv: readonly string[]): boolean => argv.some((text) => text.length > 15);
    fc.assert(
      fc.property(line, (argv) => {
        fc.pre(!tooLong(argv));
        expect(askOurs(argv)).toEqual(askUcarp(argv));
      }),
      { numRuns: 400 },
    );
  });

  it('an interface name that is too long is refused in the same words', () => {
    const argv = [...quiet, '-i', 'abcdefghijklmnop'];
    expect(askOurs(argv)).toEqual(askUcarp(argv));
  });
});

describe.skipIf(!installed)('where our side differs on purpose', () => {
  it.each([
    [['-m', '224.0.0.99']],
    [['--if=nosuch0']],
    [['-s', 'auto']],
    [['--pidfile=/run/x.pid', '--manage-addr']],
  ])('%j is accepted', (more) => {
    expect(askUcarp([...quiet, ...more]).accepted).toBe(false);
    expect(askOurs([...quiet, ...more]).accepted).toBe(true);
  });

  it('a password that is too long is refused in the background as well', () => {
    const argv = [...quiet, '-B', '-p', 'x'.repeat(20)];
    expect(askUcarp(argv).accepted).toBe(true);
    expect(askOurs(argv)).toMatchObject({ accepted: false, status: 2, stderr: [] });
  });
});
