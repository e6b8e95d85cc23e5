// The backend through libpcap: cap.

import { expect, test } from 'vitest';
import { kernelLinkContract } from './kernel-link-contract.js';

kernelLinkContract(
  {
    backend: 'cap',
    ethernet: true,
    promiscuous: true,
    package: 'cap',
    diesOfLoss: 'cap aborts the process: mscdex/cap#82',
  },
  (lan) => {
    test('aborts the process when the interface goes down', async () => {
      await lan().station.open();
      const { ended } = lan().stationDriver();
      await lan().setUp(false);
      expect(await ended).toEqual({ status: null, signal: 'SIGABRT' });
      expect(lan().stationDriver().errors).toContain("Assertion `status == 0' failed");
    });

    test('aborts the process when the interface is deleted', async () => {
      await lan().station.open();
      const { ended } = lan().stationDriver();
      await lan().remove();
      expect(await ended).toEqual({ status: null, signal: 'SIGABRT' });
    });

    test('does not abort after close', async () => {
      await lan().station.open();
      await lan().station.close();
      await lan().flap(3);
      await lan().station.open();
      expect(lan().stationDriver().alive).toBe(true);
    });

    test('does not abort when garbage is collected after it could not be opened', async () => {
      const driver = lan().stationDriver();
      await lan().setUp(false);
      await expect(lan().station.open()).rejects.toMatchObject({ code: 'link-down' });
      await driver.call('drop');
      await lan().setUp(true);
      await expect(lan().station.open()).rejects.toMatchObject({ code: 'not-permitted' });
      for (let round = 0; round < 10; round += 1) await driver.call('collect');
      expect(driver.alive).toBe(true);
    });
  },
);
