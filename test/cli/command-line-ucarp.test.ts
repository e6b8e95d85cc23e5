// What is particular to the name ucarp: time stamps, silence, order, and what only this side can
// show. differential.test.ts compares verdicts and messages with the real program.

import { describe, expect, it } from 'vitest';
import { usage } from '../../src/cli/usage.js';
import {
  config as configAs,
  messages as messagesAs,
  parse as parseAs,
  refusal as refusalAs,
  type Surroundings,
} from './command-line-fixture.js';

const as = (more: Surroundings): Surroundings => ({ personality: 'ucarp', ...more });
const config = (argv: readonly string[], more = {}) => configAs(argv, as(more));
const messages = (argv: readonly string[], more = {}) => messagesAs(argv, as(more));
const refusal = (argv: readonly string[], more = {}) => refusalAs(argv, as(more));

const base = ['-i', 'eth0', '-v', '1', '-p', 'x', '-s', '10.0.0.1', '-a', '10.0.0.5'];
const scripts = ['-u', '/up', '-d', '/down'];

describe('errors', () => {
  it('carry a local time stamp with microseconds and end with status 1', () => {
    expect(refusal(['-v', '300'])).toEqual({
      status: 1,
      stdout: '',
      stderr: '2026-11-22T09:05:07.089012: [ERROR] vhid must be between 1 and 255.\n',
    });
  });

  it('of parsing show the usage on stdout with status 0', () => {
    expect(refusal([...base, '--foo'], { programName: '/usr/sbin/ucarp' })).toEqual({
      status: 0,
      stdout: usage('ucarp', '1.2.3'),
      stderr: "/usr/sbin/ucarp: unrecognized option '--foo'\n",
    });
  });

  it('are kept off the terminal by -B, from where it stands, but not off syslog', () => {
    expect(refusal(['-v', '300', '-B']).stderr).not.toBe('');
    expect(refusal(['-B', '-v', '300'])).toEqual({ status: 1, stdout: '', stderr: '' });
    expect(parseAs(['-f', 'x', '-B', '-v', '300'], as({}))).toMatchObject({
      messages: [
        { level: 'error', text: 'Unknown syslog facility: [x]', console: true },
        { level: 'error', text: 'vhid must be between 1 and 255.', console: false },
      ],
    });
  });

  it('of options that ucarp has not are told in its form', () => {
    expect(refusal([...base, '--backend=x'])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('[ERROR] --backend "x" does not exist'),
    });
  });

  it('of a group that is none end it before any script is run', () => {
    expect(refusal([...base, ...scripts, '--mcast', '10.0.0.9'])).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("Can't do IP_ADD_MEMBERSHIP errno=Invalid argument (22)"),
    });
    expect(config([...base, '-M', '--mcast', '10.0.0.9']).broadcast).toBe(true);
  });

  it('end it with status 2 for a password that is too long, in the background too', () => {
    expect(refusal([...base, '-p', 'x'.repeat(20)]).status).toBe(2);
    expect(refusal(['-B', ...base, '-p', 'x'.repeat(20)]).status).toBe(2);
  });
});

describe('numbers', () => {
  it.each([
    ['256', 0],
    ['300', 44],
    ['-1', 255],
    ['-0x2', 254],
    ['junk', 0],
    ['1e2', 1],
    ['08', 0],
    ['010', 8],
    ['0x1f', 31],
    ['0xg', 0],
    [' \t7 ', 7],
    ['18446744073709551616', 255],
    ['-18446744073709551616', 255],
    ['18446744073709551615', 255],
  ])('advbase %j is %d', (text, value) => {
    expect(config([...base, '-k', '1', '-b', text]).advbase).toBe(value);
    expect(config([...base, '-b', '1', '-k', text]).advskew).toBe(value);
  });

  it.each([
    ['-1', 4294967295],
    ['4294967299', 3],
    ['3.9', 3],
  ])('deadratio %j is %d', (text, value) => {
    expect(config([...base, '-r', text]).deadRatio).toBe(value);
  });
});

describe('messages on the way', () => {
  it('are the two warnings of ucarp when there is no script', () => {
    expect(messages(base)).toEqual([
      'warning: Warning: no script called when going up',
      'warning: Warning: no script called when going down',
    ]);
    expect(messages([...base, ...scripts])).toEqual([]);
    expect(messages([...base, '--manage-addr'])).toEqual([]);
  });

  it('an unknown facility is told and the one before it stays', () => {
    expect(messages([...base, ...scripts, '-f', 'local1', '-f', 'bogus'])).toEqual([
      'error: Unknown syslog facility: [bogus]',
    ]);
    expect(config([...base, '-f', 'local1', '-f', 'bogus']).facility).toBe('local1');
  });

  it('facility none cannot be taken back', () => {
    expect(config([...base, '-f', 'none', '-f', 'local1']).facility).toBeUndefined();
  });

  it('advice that ucarp does not give is for --debug only', () => {
    const line = [...base, ...scripts, '-v', '010', '-o', '/pw', 'stray'];
    const levels = messages(line, { files: { '/pw': 'x\r\n' }, modes: { '/pw': 0o100644 } });
    expect(levels).toHaveLength(3);
    for (const text of levels) expect(text).toMatch(/^debug: /);
  });
});

describe('what goes beyond ucarp under its name', () => {
  it('-m, --if and auto are understood', () => {
    const line = ['--if', 'auto', '-v', '1', '-p', 'x', '-s', 'auto', '-a', '10.0.0.5'];
    const { interface: device, source, group } = config([...line, '-m', '224.0.0.99']);
    expect({ device, source, group }).toEqual({
      device: 'auto',
      source: 'auto',
      group: 0xe0000063,
    });
  });

  it('the last of several sources counts, auto or not', () => {
    expect(config([...base, '-s', 'auto']).source).toBe('auto');
    expect(config([...base, '-s', 'auto', '-s', '10.0.0.2']).source).toBe(0x0a000002);
  });

  it('POSIXLY_CORRECT stops at the first word', () => {
    const env = { POSIXLY_CORRECT: '' };
    expect(config([...base, 'word', '-P'], { env }).preempt).toBe(false);
    expect(config([...base, 'word', '-P']).preempt).toBe(true);
  });
});
