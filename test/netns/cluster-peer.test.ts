// The real ucarp does the job first: that is what the bed is trusted for.

import { describeCluster } from './cluster.js';
import { ucarp } from './require.js';

describeCluster('two hosts with the real ucarp', {
  calledAs: 'ucarp',
  program: ucarp,
  needs: ['ucarp'],
});
