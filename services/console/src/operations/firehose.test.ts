import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { HIDDEN_MS } from '~/lib/whileSeen';
import { follow, type Pulse } from './firehose';

class Source extends EventTarget {
  static readonly CLOSED = 2;
  static opened: Source[] = [];
  readyState = 1;

  constructor() {
    super();
    Source.opened.push(this);
  }

  close(): void {
    this.readyState = Source.CLOSED;
  }
}

let told: Pulse[];
let stop: () => void;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('EventSource', Source);
  [Source.opened, told] = [[], []];
  stop = follow(pulse => told.push(pulse));
});
afterEach(() => {
  stop();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

const open = () => Source.opened.filter(source => source.readyState !== Source.CLOSED);
function end(type: string): void {
  const data = JSON.stringify({ type: `millrace.workflow.${type}` });
  open()[0]?.dispatchEvent(new MessageEvent(type, { data }));
}
function hide(hidden: boolean): void {
  vi.spyOn(document, 'hidden', 'get').mockReturnValue(hidden);
  document.dispatchEvent(new Event('visibilitychange'));
}

it('counts what ends in each second', async () => {
  end('completed');
  end('node.failed');
  await vi.advanceTimersByTimeAsync(1_000);
  expect([told[0]?.runs.at(-1), told[0]?.nodes.at(-1), told[0]?.failures.at(-1)]).toEqual([1, 1, 1]);
});

it('holds no connection while it is hidden, and begins anew', async () => {
  hide(true);
  end('completed');
  await vi.advanceTimersByTimeAsync(HIDDEN_MS);
  expect(open()).toHaveLength(0);
  told = [];
  await vi.advanceTimersByTimeAsync(60_000);
  expect(told).toEqual([]);
  hide(false);
  expect(open()).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(told[0]?.runs.every(count => count === 0)).toBe(true);
  stop();
  expect([open().length, vi.getTimerCount()]).toEqual([0, 0]);
});
