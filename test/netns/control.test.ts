// An operator asks and orders a running daemon: status, demote and promote.

import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Daemon, Lan } from './lan.js';
import { describeOnNetwork, tscarp } from './require.js';

let lan: Lan;

beforeEach(async () => {
  lan = await Lan.build();
});

afterEach(() => lan.dispose());

/** Runs a subcommand on the host; the socket directory is named as an operator would. */
function operate(daemon: Daemon, ...words: readonly string[]) {
  const { folder } = lan.network.host(daemon.host);
  const argv = [process.execPath, tscarp, ...words, '--run-dir', `${folder}/run`];
  return lan.network.host(daemon.host).run(argv, { env: { TSCARP_RUN_DIR: '/nowhere' } });
}

/** A master on a and a worse backup on b that has heard it. */
async function pair() {
  const { a, b } = await lan.pair();
  await lan.until('b has heard from a', 3_000, async () => {
    const [status] = JSON.parse((await operate(b, 'status', '--json')).stdout);
    return status.master?.address === '10.0.0.1';
  });
  return { a, b };
}

describeOnNetwork('the control socket', ['build'], () => {
  test('status says who is master, in its exit status too', async () => {
    const { a, b } = await pair();
    const ofMaster = await operate(a, 'status', '--json');
    expect(ofMaster.status).toBe(0);
    expect(JSON.parse(ofMaster.stdout)).toMatchObject([
      { vhid: 1, interface: 'eth0', state: 'master', addresses: ['10.0.0.10'], pid: a.program.pid },
    ]);
    const ofBackup = await operate(b, 'status', '--json');
    expect(ofBackup.status).toBe(1);
    expect(JSON.parse(ofBackup.stdout)).toMatchObject([
      { state: 'backup', master: { address: '10.0.0.1', advbase: 1, advskew: 0 }, advskew: 50 },
    ]);
    a.program.signal('SIGTERM');
    await a.program.exited;
    const ofNobody = await operate(a, 'status', '--json');
    expect(ofNobody.status).toBe(3);
    expect(JSON.parse(ofNobody.stdout)).toEqual([]);
  });

  test('a daemon that was killed is not taken for a running one', async () => {
    const a = lan.tscarp(lan.a);
    await lan.settled(a, [], 10_000);
    a.program.signal('SIGKILL');
    await a.program.exited;
    expect((await operate(a, 'status')).status).toBe(3);
    const again = lan.tscarp(lan.a);
    await lan.settled(again, [], 10_000);
    expect((await operate(again, 'status')).status).toBe(0);
  });

  test('demote moves the role at once, promote brings it back, and neither fights', async () => {
    const { a, b } = await pair();

    const refused = await operate(b, 'promote');
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain('10.0.0.1');

    expect((await operate(a, 'demote')).status).toBe(0);
    await lan.settled(b, [a], 2_000);

    // For three seconds a stays down; afterwards it is better but does not preempt.
    await lan.until('a has heard from b', 6_000, async () => {
      const [status] = JSON.parse((await operate(a, 'status', '--json')).stdout);
      return status.state === 'backup' && status.master?.address === '10.0.0.2';
    });
    const promoted = await operate(a, 'promote');
    expect(promoted).toMatchObject({ status: 0, stderr: '' });
    await lan.settled(a, [b], 3_000);
  });
});
