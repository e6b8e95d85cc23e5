// The job that ucarp did, done by tscarp under the name ucarp.

import { describeCluster } from './cluster.js';
import { tscarp } from './require.js';

describeCluster('two hosts with tscarp called ucarp', {
  calledAs: 'ucarp',
  program: tscarp,
  needs: ['build'],
});
