// What is said of a start that failed: in words of our own, and under the name ucarp in ucarp's,
// which the real ucarp is asked for.

import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeFailure, describeStart } from '../../src/daemon/start-failure.js';
import { NetError, type NetErrorCode } from '../../src/net/errors.js';
import { buildProgram, type Program } from '../fakes/bundle.js';
import { testConfig } from '../fakes/config.js';
import { describeOnNetwork, ucarp } from '../netns/require.js';

const execute = promisify(execFile);

describe('under the name tscarp', () => {
  test('every failure is told in its own words, with status 1', () => {
    const error = new NetError('no-such-device', 'There is no interface nope0; see: ip link');
    expect(describeFailure(error, testConfig())).toEqual({
      status: 1,
      lines: ['There is no interface nope0; see: ip link'],
    });
    expect(describeFailure('what', testConfig())).toEqual({ status: 1, lines: ['what'] });
  });
});

describe('under the name ucarp', () => {
  const ours = 'in our own words';
  const linesOf = (code: NetErrorCode, overrides = {}): readonly string[] => {
    const config = testConfig({ personality: 'ucarp', interface: 'eth1:0', ...overrides });
    const { status, lines } = describeFailure(new NetError(code, ours), config);
    expect(status).toBe(2);
    return lines;
  };

  test.each([
    [
      'no-such-device',
      [
        'Unable to get hardware info about an interface: No such device',
        'Unable to find MAC address of [eth1:0]',
      ],
    ],
    ['link-down', ['Unable to open interface [eth1:0]: eth1:0: That device is not up']],
    [
      'not-permitted',
      [
        'Unable to open raw device: [Operation not permitted]',
        'Unable to find MAC address of [eth1:0]',
      ],
    ],
    ['address-refused', ["Can't do IP_ADD_MEMBERSHIP errno=No such device (19)"]],
    ['missing-module', [ours]],
    ['unsupported', [ours]],
    ['failed', [ours]],
  ] as const)('%s', (code, lines) => {
    expect(linesOf(code)).toEqual(lines);
  });

  test('a source that could not be chosen is no failure of ucarp, which needs one', () => {
    expect(linesOf('address-refused', { source: 'auto' })).toEqual([ours]);
  });

  test('so is an error of our own', () => {
    const config = testConfig({ personality: 'ucarp' });
    expect(describeFailure(new TypeError(ours), config)).toEqual({ status: 2, lines: [ours] });
  });
});

test('a start that succeeded is described in a line', () => {
  const config = testConfig({ vhid: 42, backend: 'raw' });
  expect(describeStart(config, 'eth1:0')).toBe('vhid 42 for 10.0.0.10 on eth1:0, backend raw');
});

describeOnNetwork('the real ucarp and ours under its name', [ucarp], () => {
  const namespace = `tscarp-fail-${process.pid}`;
  let program: Program | undefined;

  beforeAll(async () => {
    const entry = new URL('../../bin/tscarp.ts', import.meta.url);
    program = await buildProgram(entry, 'ucarp');
    await execute('ip', ['netns', 'add', namespace]);
    for (const device of ['car0', 'car1']) {
      await execute('ip', ['-n', namespace, 'link', 'add', device, 'type', 'bridge']);
    }
    await execute('ip', ['-n', namespace, 'link', 'set', 'car0', 'up']);
    await execute('ip', ['-n', namespace, 'address', 'add', '10.0.0.1/24', 'dev', 'car0']);
  });
  afterAll(async () => {
    program?.remove();
    await execute('ip', ['netns', 'del', namespace]);
    rmSync('/run/tscarp-none', { recursive: true, force: true });
  });

  interface End {
    readonly status: number;
    readonly errors: readonly string[];
  }

  /** How a start ends and the errors that it logs, without their time. */
  async function start(argv: readonly string[], options: readonly string[]): Promise<End> {
    const line = ['-v', '1', '-p', 'love', '-a', '10.0.0.10', '-f', 'none', ...options];
    const words = ['netns', 'exec', namespace, 'timeout', '10', ...argv, ...line];
    const end = await execute('ip', words, {
      env: { ...process.env, TSCARP_RUN_DIR: '/run/tscarp-none' },
    }).catch((error: { code: number; stderr: string }) => error);
    const lines = end.stderr.split('\n');
    return {
      status: 'code' in end ? end.code : 0,
      errors: lines.filter((each) => each.includes('[ERROR]')).map((each) => each.slice(28)),
    };
  }

  const unprivileged = ['setpriv', '--bounding-set=-net_raw', '--inh-caps=-net_raw'];

  test.each([
    ['an interface that does not exist', ['-i', 'nope0', '-s', '10.0.0.1'], []],
    ['a label on one that does not exist', ['-i', 'nope0:1', '-s', '10.0.0.1'], []],
    ['an interface that is down', ['-i', 'car1', '-s', '10.0.0.1'], []],
    ['a label on an interface that is down', ['-i', 'car1:x', '-s', '10.0.0.1'], []],
    ['the source address of somebody else', ['-i', 'car0', '-s', '9.9.9.9'], []],
    ['a group that is none', ['-i', 'car0', '-s', '10.0.0.1', '--mcastip', '10.9.9.9'], []],
    ['no right to capture', ['-i', 'car0', '-s', '10.0.0.1'], unprivileged],
  ])('say the same of %s, with the same status', async (_, options, prefix) => {
    const [theirs, ours] = await Promise.all([
      start([...prefix, ucarp], options),
      start([...prefix, process.execPath, program?.file ?? ''], options),
    ]);
    expect(theirs.errors.length).toBeGreaterThan(0);
    expect(ours).toEqual(theirs);
  });
});
