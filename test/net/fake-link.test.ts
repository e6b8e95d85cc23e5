// The link in memory that other tests use keeps the contract of the real ones.

import { createFakeLan } from './fake-link.js';
import { linkContract } from './link-contract.js';

linkContract({ ethernet: true }, async () => createFakeLan());
