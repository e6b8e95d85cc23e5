// Where a password may come from, what its bytes are, and that the process list does not show it.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maskedArgv } from '../../src/cli/secrets.js';
import { config, messages, refusal, type Surroundings } from './command-line-fixture.js';

const base = ['-v', '7', '-a', '10.0.0.5', '-s', '10.0.0.1', '-u', '/up', '-d', '/down'];

function password(argv: readonly string[], surroundings: Surroundings = {}): string {
  return Buffer.from(config([...base, ...argv], surroundings).password).toString('latin1');
}

describe('the password file', () => {
  it.each([
    ['its first line', 'love\nhate\n', 'love'],
    ['a line without end', 'love', 'love'],
    ['up to a NUL', 'lo\0ve\n', 'lo'],
    ['blanks included', ' l o \n', ' l o '],
    ['a carriage return included', 'love\r\n', 'love\r'],
  ])('the password is %s', (_name, content, expected) => {
    for (const personality of ['ucarp', 'tscarp'] as const) {
      const surroundings = { personality, files: { '/pw': content } };
      expect(password(['-o', '/pw'], surroundings)).toBe(expected);
    }
  });

  it('of the first line at most 511 bytes count', () => {
    const files = { '/pw': `${'x'.repeat(600)}\n` };
    expect(refusal([...base, '-o', '/pw'], { files }).stderr).toContain('has 511 bytes');
  });

  it('a carriage return and a file that everyone can read are warned of', () => {
    const surroundings = { files: { '/pw': 'x\r\n' }, modes: { '/pw': 0o100644 } };
    const [readable, carriageReturn, ...more] = messages([...base, '-o', '/pw'], surroundings);
    expect(readable).toBe(
      'warning: passfile /pw is readable by everyone (mode 0644): chmod 600 /pw',
    );
    expect(carriageReturn).toContain('ends in a carriage return');
    expect(more).toEqual([]);
  });

  it('an empty first line is no password', () => {
    const files = { '/pw': '\nlove\n' };
    expect(refusal([...base, '-o', '/pw'], { files, personality: 'ucarp' }).stderr).toContain(
      '[ERROR] You must supply a password\n',
    );
  });

  it.each([
    ['ENOENT', 'unable to open passfile /pw for reading: No such file or directory'],
    ['EACCES', 'unable to open passfile /pw for reading: Permission denied'],
    ['EISDIR', 'error reading passfile /pw: Is a directory'],
    ['', 'error reading passfile /pw: unexpected end of file'],
  ])('%j is told as ucarp does', (content, message) => {
    const line = [...base, '-o', '/pw'];
    const files = { '/pw': content };
    const { status, stderr } = refusal(line, { files, personality: 'ucarp' });
    expect(status).toBe(1);
    expect(stderr).toContain(`[ERROR] ${message}\n`);
    expect(refusal(line, { files }).stderr).toContain(message);
  });
});

describe('where it comes from', () => {
  const files = {
    '/pw': 'file',
    '/named': 'named',
    '/creds/vip-7.pass': 'group',
    '/creds/tscarp.pass': 'all',
    '/other/tscarp.pass': 'all',
    '/broken/vip-7.pass': 'EACCES',
    '/broken/tscarp.pass': 'all',
  };
  const everywhere = { TSCARP_PASS_FILE: '/named', CREDENTIALS_DIRECTORY: '/creds' };

  it.each([
    ['the later of --pass and --passfile', ['-o', '/pw', '-p', 'line'], everywhere, 'line'],
    ['the later of --passfile and --pass', ['-p', 'line', '-o', '/pw'], everywhere, 'file'],
    ['an over-long --pass can be overridden', ['-p', 'x'.repeat(30), '-o/pw'], {}, 'file'],
    ['then TSCARP_PASS_FILE', [], everywhere, 'named'],
    ["then the group's credential", [], { CREDENTIALS_DIRECTORY: '/creds' }, 'group'],
    ["then everyone's credential", [], { CREDENTIALS_DIRECTORY: '/other' }, 'all'],
  ])('%s', (_name, argv, env, expected) => {
    for (const personality of ['ucarp', 'tscarp'] as const) {
      expect(password(argv, { personality, env, files })).toBe(expected);
    }
  });

  it('a credential that cannot be read is not passed over', () => {
    const env = { CREDENTIALS_DIRECTORY: '/broken' };
    for (const personality of ['ucarp', 'tscarp'] as const) {
      expect(refusal(base, { personality, env, files }).stderr).toContain('Permission denied');
    }
  });

  it('an empty password on the line does not fall back on what waits elsewhere', () => {
    const line = [...base, '-o', '/pw', '-p', ''];
    for (const personality of ['ucarp', 'tscarp'] as const) {
      expect(refusal(line, { personality, env: everywhere, files }).stderr).toContain('password');
    }
  });

  it('without any the line is refused', () => {
    expect(refusal(base, { personality: 'ucarp' }).stderr).toContain('You must supply a password');
    expect(refusal(base).stderr).toContain('the password is missing');
  });
});

describe('its bytes', () => {
  it('are UTF-8 when only the decoded line is known', () => {
    expect(password(['-p', 'é'])).toBe('\xc3\xa9');
  });

  it('are what the kernel has when it is asked, in every spelling', () => {
    const secret = [0xff, 0x2d, 0xe9];
    for (const before of ['-p', '-Pzp', '--pass=', '--pass\0', '-p\0']) {
      const words = before.split('\0').map((word) => Buffer.from(word));
      const last = Buffer.concat([words.at(-1) ?? Buffer.alloc(0), Buffer.from(secret)]);
      const rawArgv = [...base.map((word) => Buffer.from(word)), ...words.slice(0, -1), last];
      const argv = rawArgv.map((word) => word.toString());
      expect([...config(argv, { rawArgv }).password]).toEqual(secret);
    }
  });
});

describe('the masked words', () => {
  it.each([
    [
      ['-p', 'love'],
      ['-p', '****'],
    ],
    [['-plove'], ['-p****']],
    [['-Pzplove'], ['-Pzp****']],
    [
      ['-Pp', '-love'],
      ['-Pp', '*****'],
    ],
    [['--pass=love'], ['--pass=****']],
    [
      ['--pass', 'love', 'love'],
      ['--pass', '****', 'love'],
    ],
    [['--pas=love'], ['--pas=****']],
    [
      ['--pas', 'love'],
      ['--pas', '****'],
    ],
    [
      ['a', '-p', 'one', '--pass=two'],
      ['a', '-p', '***', '--pass=***'],
    ],
    [
      ['--passfile=love', '-x', '-plove'],
      ['--passfile=love', '-x', '-plove'],
    ],
    [['-p'], ['-p']],
    [['--pass='], ['--pass=']],
    [
      ['--', '-p', 'love'],
      ['--', '-p', 'love'],
    ],
  ])('%j become %j', (argv, expected) => {
    expect(maskedArgv(argv)).toEqual(expected);
  });

  it('keep their number and length, and never show the password, whatever is around it', () => {
    const secret = fc.stringMatching(/^[!-)+-~]{4,19}$/);
    const other = fc.constantFrom('-P', '-z', '-v1', '-i', 'eth0', '--src=1.2.3.4', '-D', 'w');
    const spelling = fc.constantFrom(
      (text: string) => ['-p', text],
      (text: string) => [`-p${text}`],
      (text: string) => [`-PzBp${text}`],
      (text: string) => ['-Pp', text],
      (text: string) => ['--pass', text],
      (text: string) => [`--pass=${text}`],
      (text: string) => [`--pa=${text}`],
      (text: string) => ['--pas', text],
    );
    fc.assert(
      fc.property(
        fc.array(other),
        spelling,
        secret,
        fc.array(other),
        (before, spell, text, after) => {
          // Should `before` end in -i, then -P is the value that it takes.
          const argv = [...before, '-P', ...spell(text), ...after];
          const masked = maskedArgv(argv);
          expect(masked.map((word) => word.length)).toEqual(argv.map((word) => word.length));
          const untouched = [...before, ...after].some((word) => word.includes(text));
          expect(untouched || !masked.join('\0').includes(text)).toBe(true);
        },
      ),
    );
  });
});
