import 'uplot/dist/uPlot.min.css';
import './chart.css';
import { useComputedColorScheme } from '@mantine/core';
import { useEffect, useRef } from 'react';
import uPlot from 'uplot';

export interface Line {
  label: string;
  /** A colour, or the name of one as `var(--state-failed)`. */
  colour: string;
  values: (number | null)[];
  /** Bars stand on zero; lines are the default. */
  bars?: boolean;
}

export interface ChartProps {
  /** Milliseconds since the Unix epoch, one per value. */
  times: number[];
  lines: Line[];
  format(value: number): string;
  height?: number;
  label: string;
}

/** Figures over time. Drawn on a canvas: a hundred points and their cursor cost nothing. */
export default function TimeChart({ times, lines, format, height = 190, label }: ChartProps) {
  const holder = useRef<HTMLDivElement>(null);
  const scheme = useComputedColorScheme('light');
  const plot = useRef<uPlot | null>(null);
  const shape = lines.map(line => `${line.label}${line.bars}`).join();
  useEffect(() => {
    const element = holder.current;
    if (!element) return;
    const chart = new uPlot(options(element, lines, format, height), [[], ...lines.map(() => [])], element);
    plot.current = chart;
    const observer = new ResizeObserver(() => chart.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      chart.destroy();
      plot.current = null;
    };
    // The values are brought in below; only another shape or scheme needs another chart.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [shape, scheme, height]);
  useEffect(() => {
    plot.current?.setData([times.map(time => time / 1000), ...lines.map(line => line.values)]);
  }, [times, lines, scheme, shape, height]);
  return <div ref={holder} role="img" aria-label={label} style={{ minHeight: height }} />;
}

const FEW = 20;

function known(values: ArrayLike<number | null | undefined> | undefined): number {
  return Array.from(values ?? []).filter(value => value != null).length;
}

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
const DAY = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });

/** A tick in seconds: the time, or the day where one begins. */
function moment(seconds: number): string {
  const at = new Date(seconds * 1000);
  return at.getHours() + at.getMinutes() === 0 ? DAY.format(at) : CLOCK.format(at);
}

/** From half a bucket before the first to half of one after the last: bars are as wide at the edges. */
function whole({ data: [times] }: uPlot, first: number, last: number): [number, number] {
  const half = ((times[1] ?? first + 1) - (times[0] ?? first)) / 2;
  return [first - half, last + half];
}

function options(
  element: HTMLElement,
  lines: Line[],
  format: (value: number) => string,
  height: number,
): uPlot.Options {
  const style = getComputedStyle(element);
  // A canvas knows no CSS variables.
  const colour = (name: string) => style.getPropertyValue(/var\((.+)\)/.exec(name)?.[1] ?? '').trim() || name;
  const [ink, grid] = [colour('var(--ink-soft)'), colour('var(--line)')];
  const axis = {
    stroke: ink,
    font: '11px Inter Variable, sans-serif',
    grid: { stroke: grid, width: 1 },
    ticks: { show: false },
  };
  return {
    width: element.clientWidth,
    height,
    // The last moment's name is as wide again as half of it.
    padding: [8, 20, 0, 0],
    cursor: { y: false, points: { size: 6 } },
    legend: { live: true, markers: { width: 2 } },
    scales: { x: { range: whole }, y: { range: (_, __, most) => [0, most > 0 ? most * 1.12 : 1] } },
    axes: [
      { ...axis, size: 32, values: (_, ticks) => ticks.map(moment) },
      { ...axis, size: 62, values: (_, ticks) => ticks.map(tick => (tick === 0 ? '0' : format(tick))) },
    ],
    series: [
      {
        label: '\u00a0',
        value: (_, time) => (time == null ? '' : new Date(time * 1000).toLocaleTimeString()),
      },
      ...lines.map(line => ({
        label: line.label,
        stroke: colour(line.colour),
        width: line.bars ? 0 : 1.8,
        fill: line.bars ? colour(line.colour) : undefined,
        // Where a line has few values it may have no two beside each other.
        points: {
          size: 5,
          fill: colour(line.colour),
          show: (plot: uPlot, at: number) => !line.bars && known(plot.data[at]) <= FEW,
        },
        spanGaps: false,
        paths: line.bars ? uPlot.paths.bars?.({ size: [0.8, 24] }) : uPlot.paths.linear?.(),
        value: (_: uPlot, value: number | null) => (value == null ? '–' : format(value)),
      })),
    ],
  };
}
