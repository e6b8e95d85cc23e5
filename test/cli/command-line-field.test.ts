// Command lines as distributions, containers and operators write them (the shapes, with values of
// our own): each must be understood under both names, and mean what ucarp makes of it.

import { describe, expect, it } from 'vitest';
import type { Config } from '../../src/daemon/config.js';
import { parseIpv4 } from '../../src/protocol/address.js';
import { config, messages, refusal } from './command-line-fixture.js';

const files = { '/etc/ucarp/ucarp.pass': 'love\n' };

/** A line as a shell splits it; `''` stands for an empty word. */
function words(line: string): readonly string[] {
  return line
    .trim()
    .split(/\s+/)
    .map((word) => (word === "''" ? '' : word));
}

const longScripts = '--upscript=/etc/up.sh --downscript=/etc/down.sh';
const upDown = '-u /etc/up.sh -d /etc/down.sh';
const scripts = { upscript: '/etc/up.sh', downscript: '/etc/down.sh' };

const table: readonly (readonly [string, string, Partial<Config>])[] = [
  [
    "Debian's if-up.d script, extra options after the scripts",
    `-i eth0 -s 10.0.0.1 -B -z -v 3 -p love -a 10.0.0.5 ${upDown} -P -k 0 -b 1 -r 3 -M -x 24`,
    { ...scripts, daemonize: true, shutdown: true, vhid: 3, broadcast: true, xparam: '24' },
  ],
  [
    'the password attached with an equals sign',
    `--interface=eth0 --pass=love --srcip=10.0.0.1 --vhid=1 --addr=10.0.0.5 ${longScripts}
     --preempt`,
    { ...scripts, preempt: true },
  ],
  [
    "Gentoo's init script, with runs of blanks",
    `--interface=eth0   --srcip=10.0.0.1  --vhid=123 --passfile=/etc/ucarp/ucarp.pass
     --addr=10.0.0.5 ${longScripts} --xparam=24   --shutdown`,
    { ...scripts, vhid: 123, xparam: '24', shutdown: true, daemonize: false },
  ],
  [
    "NixOS's module",
    `--interface=eth0 --srcip=10.0.0.1 --vhid=1 --passfile=/etc/ucarp/ucarp.pass --addr=10.0.0.5
     --advbase=1 --advskew=0 ${longScripts} --deadratio=3 --preempt --neutral --shutdown
     --ignoreifstate --nomcast --xparam=X`,
    { ...scripts, neutral: true, ignoreLinkState: true, broadcast: true, xparam: 'X' },
  ],
  [
    '-B as the last word',
    `--interface=eth0 --pass=love --srcip=10.0.0.1 --vhid=1 --addr=10.0.0.5 --shutdown --preempt
     ${longScripts} -B`,
    { ...scripts, daemonize: true },
  ],
  [
    'the flags first',
    `  --preempt   --shutdown   --neutral   --advskew=50   --interface=eth0   --vhid=1   --pass=love
     --addr=10.0.0.5   --srcip=10.0.0.1   ${longScripts}`,
    { ...scripts, advskew: 50, neutral: true, shutdown: true, preempt: true },
  ],
  [
    'a unit of type forking',
    `--interface=eth0 --srcip=10.0.0.1 --vhid=9 --passfile=/etc/ucarp/ucarp.pass --addr=10.0.0.5
     ${longScripts} --preempt --advbase=1 --deadratio=2 --advskew=50 --daemonize`,
    { ...scripts, vhid: 9, deadRatio: 2, daemonize: true },
  ],
  [
    'a load balancer, short and long mixed, with a facility',
    `--ignoreifstate -r 2 --interface=eth0 --srcip=10.0.0.1 -P --vhid=1 --pass=love --addr=10.0.0.5
     ${longScripts} -B -f local6 -k 100`,
    { ...scripts, deadRatio: 2, facility: 'local6', advskew: 100 },
  ],
  [
    'an xparam that begins with a slash',
    `-i eth0 -p love -v 18 -B -n -a 10.0.0.5 -s 10.0.0.1 ${upDown} -x /32`,
    { ...scripts, xparam: '/32', neutral: true, vhid: 18 },
  ],
  [
    'a container with an empty xparam',
    `-i eth0 -s 10.0.0.1 -v 1 -p love -a 10.0.0.5 -x '' ${upDown} -z`,
    { ...scripts, xparam: '', shutdown: true },
  ],
  [
    'a container that has its options in a variable',
    `--interface=eth0 --srcip=10.0.0.1 --vhid=1 --pass=love --addr=10.0.0.5 ${longScripts}
     --xparam=24 --nomcast --advskew=1 --advskew=20`,
    { ...scripts, broadcast: true, advskew: 20 },
  ],
  [
    'a container that must detach from its entry point',
    `--interface=eth0 --srcip=10.0.0.1 --vhid=1 --pass=love --addr=10.0.0.5 ${longScripts}
     --xparam=24 --daemonize`,
    { ...scripts, daemonize: true },
  ],
  [
    'a network emulator on the loopback interface',
    `-B -z -n -M -b 1 -k 0 -i lo -v 1 -p love ${upDown} -a 127.0.0.254 -s 127.0.0.1 -f daemon -x 8`,
    { ...scripts, interface: 'lo', addressText: '127.0.0.254', facility: 'daemon' },
  ],
  [
    'an alias number as xparam',
    `-v 71 -i net0 -b 1 -k 100 -p love -s 10.0.0.1 -a 10.0.0.5 ${upDown} -B -x 1`,
    { ...scripts, interface: 'net0', vhid: 71, xparam: '1' },
  ],
  [
    'from rc.local',
    `-i eth0 -v 40 -p love -a 10.0.0.5 ${upDown} -s 10.0.0.1 -P -B`,
    { ...scripts, vhid: 40, preempt: true },
  ],
  [
    'over ssh, -b among long options',
    `--interface=eth1 --srcip=10.0.0.1 --addr=10.0.0.5 --vhid=1 --pass=love -b 1 ${longScripts}
     -B -P`,
    { ...scripts, interface: 'eth1', advbase: 1 },
  ],
  [
    'without interface, and a stray word that hostname -I left',
    `--vhid=42 --pass=love --addr=10.0.0.5 --srcip=10.0.0.1 10.9.0.1 ${longScripts} -P -B`,
    { ...scripts, interface: 'auto', vhid: 42, preempt: true },
  ],
  [
    'ratio and order of a wiki',
    `-i eth0 -s 10.0.0.1 -v 10 -p love -a 10.0.0.5 ${upDown} -r 3 -B -z`,
    { ...scripts, deadRatio: 3 },
  ],
  [
    'numbers from a template',
    `--interface=eth10 --srcip=10.0.0.1 --vhid=5 --pass=love --addr=10.0.0.5 --advbase=2
     --advskew=30 --daemonize ${longScripts}`,
    { ...scripts, interface: 'eth10', advbase: 2, advskew: 30 },
  ],
  [
    "ucarp's README: no interface and no scripts",
    '-v 42 -p love -a 10.0.0.5 -s 10.0.0.1',
    { interface: 'auto', upscript: undefined, downscript: undefined },
  ],
  [
    'the line of the project',
    '--vhid 1 --pass love --src 10.0.0.1 --addr 10.0.0.5 --if eth1 --preempt',
    { interface: 'eth1', preempt: true },
  ],
];

describe('lines that must be understood under both names', () => {
  it.each(table)('%s', (_name, line, expected) => {
    const vhid = Number(/(?:-v |--vhid[= ])(\d+)/.exec(line)?.[1]);
    for (const personality of ['ucarp', 'tscarp'] as const) {
      const meaning = config(words(line), { personality, files });
      expect(meaning).toMatchObject({ vhid, ...expected });
      expect(Buffer.from(meaning.password).toString()).toBe('love');
      expect(meaning.address).toBe(parseIpv4(expected.addressText ?? '10.0.0.5'));
      expect(meaning.source).toBe(
        parseIpv4(meaning.addressText === '127.0.0.254' ? '127.0.0.1' : '10.0.0.1'),
      );
    }
  });

  it('an xparam with blanks is one word', () => {
    const line = ['-v1', '-plove', '-a10.0.0.5', '-s10.0.0.1', '-x', '10.0.0.6 10.0.0.7'];
    expect(config(line, { personality: 'ucarp' }).xparam).toBe('10.0.0.6 10.0.0.7');
  });
});

describe('lines whose meaning depends on the name', () => {
  const example = words(
    `--interface=eth0 --srcip=10.0.0.1 --vhid=018 --pass=love --addr=10.0.0.5 --advskew=3
     --preempt`,
  );

  it('vhid 018 is 1 for ucarp, and a mistake for tscarp', () => {
    expect(config(example, { personality: 'ucarp' }).vhid).toBe(1);
    expect(refusal(example).stderr).toContain('--vhid "018" is not a number');
  });

  it('vhid 010 is 8 for both, and tscarp says so', () => {
    const line = [...example, '--vhid=010'];
    expect(config(line, { personality: 'ucarp' }).vhid).toBe(8);
    expect(config(line).vhid).toBe(8);
    expect(messages(line)).toContain('warning: vhid "010" read as octal 8, as ucarp does; write 8');
  });

  it.each(['008', '009'])('vhid %s is a mistake for both', (vhid) => {
    const line = [...example, `--vhid=${vhid}`];
    expect(refusal(line, { personality: 'ucarp' }).stderr).toContain('must be between 1 and 255');
    expect(refusal(line).status).toBe(2);
  });

  it('prefix lengths are refused by ucarp and understood by tscarp', () => {
    const line = words('-i eth0 -s 10.1.1.1/24 -a 10.1.1.100/24 -v 1 -k 50 -P -p love');
    expect(refusal(line, { personality: 'ucarp' })).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('[ERROR] Invalid address: [10.1.1.1/24]'),
    });
    expect(config(line)).toMatchObject({
      addressText: '10.1.1.100',
      prefixLength: 24,
      source: parseIpv4('10.1.1.1'),
    });
  });

  it('IPv6 addresses are refused by both, by tscarp in words', () => {
    const line = words('-i eth0 -s [2001:db8::10]/64 -a [2001:db8::100]/64 -v 1 -p love');
    expect(refusal(line, { personality: 'ucarp' })).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('Invalid address: [[2001:db8::10]/64]'),
    });
    const { stderr } = refusal(line);
    expect(stderr.match(/IPv6 is not yet supported/g)).toHaveLength(2);
  });

  it("Debian's script without an address takes -B for the source", () => {
    const line = words('-i eth0 -s -B -z -v 3 -p love -a 10.0.0.5');
    expect(refusal(line, { personality: 'ucarp' })).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('Invalid address: [-B]'),
    });
    expect(refusal(line).stderr).toContain('its value seems to be missing');
  });
});
