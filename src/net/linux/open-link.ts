// Chooses how frames are sent and received. The default needs nothing more than what is loaded
// already; the packages behind the other two are optional and loaded only for whoever asks for
// them.

import { NetError } from '../errors.js';
import type { Backend, OpenLink } from '../ports.js';
import { openPacketLink } from './packet-link.js';

/** Rejects with NetError `missing-module` when the backend's package is not installed. */
export async function loadBackend(backend: Backend): Promise<OpenLink> {
  switch (backend) {
    case 'packet':
      return openPacketLink;
    case 'cap': {
      const module = await optional('cap', () => import('cap'));
      const { capLinkOpener } = await import('./cap-link.js');
      return capLinkOpener(module.default);
    }
    case 'raw': {
      const module = await optional('raw-socket', () => import('raw-socket'));
      const { rawLinkOpener } = await import('./raw-link.js');
      return rawLinkOpener(module.default);
    }
  }
}

/** A package may be absent, not built (npm 12 runs no scripts), or built for another Node. */
async function optional<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n', 1)[0] : String(error);
    throw new NetError(
      'missing-module',
      `The optional package ${name} cannot be loaded (${reason}); install a C++ compiler, make, ` +
        'python3 and libpcap-dev, then run: ' +
        'npm install -g --allow-scripts=cap,@neuralegion/raw-socket ./tscarp-*.tgz',
      error,
    );
  }
}
