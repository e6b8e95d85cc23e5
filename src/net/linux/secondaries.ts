// When the first IPv4 address of a subnet goes from a device, the kernel takes the others of that
// subnet along, unless it is set to promote one of them (systemd sets it so). If the virtual
// address came first, the host's own must not go with it.

import { readFileSync, writeFileSync } from 'node:fs';

/** Until the function that this returns is called, these devices keep the others. */
export function keepSecondaries(devices: readonly string[]): () => void {
  const paths = [...new Set(devices)].map(
    (device) => `/proc/sys/net/ipv4/conf/${device}/promote_secondaries`,
  );
  const changed = paths.filter((path) => read(path) === '0' && write(path, '1'));
  return () => {
    for (const path of changed) write(path, '0');
  };
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1').trim();
  } catch {
    return undefined;
  }
}

/** False where /proc is read-only or not there: then the kernel does as it is set. */
function write(path: string, value: string): boolean {
  try {
    writeFileSync(path, value);
    return true;
  } catch {
    return false;
  }
}
