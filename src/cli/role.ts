// `tscarp demote` and `tscarp promote`: an operator moves the role.

import { findInstances, nothingRuns, order, readSelection } from './instances.js';

export function demoteCommand(argv: readonly string[]): Promise<number> {
  const describe =
    'Makes a master give the role up, as SIGUSR2 does: it says goodbye, so that a backup takes over ' +
    'at once, and leaves the role to others for three seconds.';
  return roleCommand('demote', describe, argv);
}

export function promoteCommand(argv: readonly string[]): Promise<number> {
  const describe =
    'Makes a backup take the role now. Refused while a better master lives, which would take it back ' +
    'at once: demote that one instead.';
  return roleCommand('promote', describe, argv);
}

async function roleCommand(
  command: 'demote' | 'promote',
  describe: string,
  argv: readonly string[],
): Promise<number> {
  const line = await readSelection(command, describe, argv);
  if (line.type === 'exit') {
    (line.status === 0 ? process.stdout : process.stderr).write(line.text);
    return line.status;
  }
  const { selection } = line;
  try {
    const instances = await findInstances(selection);
    if (instances.length === 0) {
      process.stderr.write(`tscarp ${command}: ${nothingRuns(selection)}\n`);
      return 3;
    }
    const replies = await Promise.all(
      instances.map(async (found) => ({ found, reply: await order(found, command) })),
    );
    if (selection.json) {
      const outcomes = replies.map(({ found: { status }, reply }) => ({
        vhid: status.vhid,
        interface: status.interface,
        ok: reply.ok,
        text: reply.ok ? reply.text : reply.error,
      }));
      process.stdout.write(`${JSON.stringify(outcomes, undefined, 2)}\n`);
    } else {
      for (const { found, reply } of replies) {
        const name = `vhid ${found.status.vhid} on ${found.status.interface}`;
        if (reply.ok) process.stdout.write(`${name}: ${reply.text}\n`);
        else process.stderr.write(`${name}: not done: ${reply.error}\n`);
      }
    }
    return replies.every(({ reply }) => reply.ok) ? 0 : 1;
  } catch (error) {
    process.stderr.write(`tscarp ${command}: ${(error as Error).message}\n`);
    return 2;
  }
}
