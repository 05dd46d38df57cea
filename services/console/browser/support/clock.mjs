// Limits in time, on machines that have other things to do. Wall-clock limits hold where the machine is quiet; where more wants
// to run than there are processors they are ten times as long, and the processor time of the page's thread is what counts.
import { cpus, loadavg } from 'node:os';

const BUSY_FACTOR = 10;

/** `ms` as a limit of this machine now. */
export function wallLimit(ms) {
  const busy = loadavg()[0] > cpus().length;
  if (busy)
    console.log(
      `the machine is busy (load ${loadavg()[0].toFixed(1)} on ${cpus().length} processors): wall-clock limits are ${BUSY_FACTOR} times as long`,
    );
  return busy ? ms * BUSY_FACTOR : ms;
}

/** The processor time, in milliseconds, that the page's main thread takes for `work`. */
export async function threadTime(page, work) {
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  const total = async () => {
    const { metrics } = await session.send('Performance.getMetrics');
    return metrics.find(metric => metric.name === 'TaskDuration').value * 1_000;
  };
  const before = await total();
  const result = await work();
  const took = (await total()) - before;
  await session.detach();
  return { took, result };
}
