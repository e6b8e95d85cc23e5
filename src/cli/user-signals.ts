// SIGUSR1 and SIGUSR2 from the first moment on. Node answers the first by opening its debugger to
// everybody on this host, and the second ends a process that does not expect it; but `killall -USR1
// ucarp` also reaches what is only starting, or a command of the same name.

import inspector from 'node:inspector';

/** What means something to a running daemon is listened for there as well. */
export function surviveUserSignals(): void {
  for (const signal of ['SIGUSR1', 'SIGUSR2'] as const) process.on(signal, () => undefined);
  closeDebugger();
  // One that came before the handler may be on its way still.
  setImmediate(closeDebugger);
}

/** Unless somebody asked for it with an option of Node. */
function closeDebugger(): void {
  const options = [...process.execArgv, process.env['NODE_OPTIONS'] ?? ''].join(' ');
  if (inspector.url() !== undefined && !options.includes('--inspect')) inspector.close();
}
