// The daemon in the background: -B, the pid file, Debian's if-up hook, and what its caller learns.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { address, Lan, ownAddress } from './lan.js';
import { describeOnNetwork } from './require.js';

const debianHook = '/etc/network/if-up.d/ucarp';

let lan: Lan;

beforeEach(async () => {
  lan = await Lan.build();
});

afterEach(() => lan.dispose());

function background(...more: readonly string[]) {
  const line = ['--vhid', '1', '--pass', 'love', '--addr', `${address}/24`, '--if', 'eth0'];
  const own = ['--src', ownAddress(lan.a)];
  return lan.a.run([lan.installed('tscarp'), '--daemonize', ...line, ...own, ...more]);
}

function holds(): Promise<boolean> {
  return lan.a.has(address);
}

describeOnNetwork('tscarp in the background', ['build'], () => {
  test('the caller returns when it is up; the pid file names it until it ends', async () => {
    const pidfile = join(lan.network.folder, 'pid');
    expect(await background('--pidfile', pidfile)).toMatchObject({ status: 0, stderr: '' });
    const pid = Number(readFileSync(pidfile, 'utf8'));
    expect(await lan.a.pidsOf('tscarp')).toContain(pid);
    expect(readFileSync(`/proc/${pid}/cmdline`, 'latin1')).not.toContain('love');
    expect(readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ')[6]).toBe('0'); // no terminal
    await lan.until('it holds the address', 6_000, holds);
    process.kill(pid, 'SIGTERM');
    await lan.until('it has ended', 3_000, async () => (await lan.a.pids()).length === 0);
    expect(await holds()).toBe(false);
    expect(existsSync(pidfile)).toBe(false);
  });

  test.each([
    { wrong: 'an interface that is not there', line: ['--if', 'eth7'], says: 'eth7' },
    { wrong: 'a source address of somebody else', line: ['--src', '9.9.9.9'], says: '9.9.9.9' },
    { wrong: 'a vhid that cannot be', line: ['--vhid', '300'], says: '300' },
  ])('the caller learns of $wrong', async ({ line, says }) => {
    const outcome = await background(...line);
    expect(outcome.status).toBeGreaterThan(0);
    expect(outcome.stderr).toContain(says);
    // Its ip(8) goes when it sees that nobody writes to it any more.
    await lan.until('nothing of it runs', 1_000, async () => (await lan.a.pids()).length === 0);
    expect(await holds()).toBe(false);
  });
});

describeOnNetwork("tscarp as ucarp in Debian's if-up hook", ['build', 'ucarp', debianHook], () => {
  let scripts = { up: '', down: '', stand: '' };

  beforeEach(() => {
    scripts = {
      up: lan.script('up', 'ip address add "$2"/24 dev "$1"'),
      down: lan.script('down', 'ip address delete "$2"/24 dev "$1"'),
      stand: lan.script('stand', `exec ${lan.installed('ucarp')} "$@"`),
    };
  });

  /** What ifup does at its end. */
  async function hook(vip: string): Promise<void> {
    // The mount is the shell's alone: ip-netns(8) gives what it runs a mount namespace of its own.
    const command = `mount --bind ${scripts.stand} /usr/sbin/ucarp && exec ${debianHook}`;
    const outcome = await lan.a.run(['sh', '-c', command], {
      env: {
        IFACE: 'eth0',
        IF_ADDRESS: ownAddress(lan.a),
        IF_UCARP_VID: '3',
        IF_UCARP_VIP: vip,
        IF_UCARP_PASSWORD: 'love',
        IF_UCARP_UPSCRIPT: scripts.up,
        IF_UCARP_DOWNSCRIPT: scripts.down,
        IF_UCARP_MASTER: 'yes',
        IF_UCARP_ADVSKEW: '0',
      },
    });
    expect(outcome).toMatchObject({ status: 0, stdout: '', stderr: '' });
  }

  test('the hook starts it, pidof finds it, and TERM runs the down script', async () => {
    await hook(address);
    await lan.until('it holds the address', 6_000, holds);
    const pids = await lan.a.pidsOf('ucarp');
    expect(pids).toHaveLength(1);
    expect(readFileSync(`/proc/${pids[0]}/cmdline`, 'latin1')).toMatch(/ucarp.*-v.3/);
    process.kill(pids[0] ?? 0, 'SIGTERM');
    await lan.until('it has ended', 3_000, async () => (await lan.a.pids()).length === 0);
    expect(await holds()).toBe(false);
  });

  test('ifdown and ifup leave one daemon, with the address that is configured then', async () => {
    await hook(address);
    await lan.until('it holds the address', 6_000, holds);
    const other = '10.0.0.77';
    for (const vip of [address, other]) {
      await lan.a.run(['ip', 'link', 'set', 'eth0', 'down']);
      await lan.until('it gave the address up', 2_000, async () => !(await holds()));
      await lan.a.run(['ip', 'link', 'set', 'eth0', 'up']);
      await hook(vip);
      expect(await lan.a.pidsOf('ucarp')).toHaveLength(1);
      await lan.until(`it holds ${vip}`, 6_000, () => lan.a.has(vip));
    }
    expect(await holds()).toBe(false);
  });
});
