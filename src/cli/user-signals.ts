// SIGUSR1 and SIGUSR2 from the first moment on. Node would answer the first by opening its debugger
// to everybody on this host, and the second ends a process that does not expect it; but `killall
// -USR1 ucarp` also reaches what is only starting, or a command of the same name.

/** What means something to a running daemon is listened for there as well. */
export function surviveUserSignals(): void {
  for (const signal of ['SIGUSR1', 'SIGUSR2'] as const) process.on(signal, () => undefined);
}
