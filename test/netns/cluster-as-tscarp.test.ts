// The job that ucarp did, done by tscarp under the name tscarp.

import { describeCluster } from './cluster.js';
import { tscarp } from './require.js';

describeCluster('two hosts with tscarp called tscarp', {
  calledAs: 'tscarp',
  program: tscarp,
  needs: ['build'],
});
