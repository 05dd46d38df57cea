import { formatCount } from '~/lib/format';

const HEIGHT = 72;
const MOST_BARS = 256;

/** A vector as bars around zero; long ones are averaged into as many as can be seen. */
export function VectorPlot({ values }: { values: readonly number[] }) {
  const size = Math.ceil(values.length / MOST_BARS);
  const bars: number[] = [];
  for (let at = 0; at < values.length; at += size) {
    const part = values.slice(at, at + size);
    bars.push(part.reduce((sum, value) => sum + value, 0) / part.length);
  }
  const most = Math.max(1e-9, ...bars.map(Math.abs));
  // One by one: there may be more of them than a call takes arguments.
  const least = values.reduce((least, value) => Math.min(least, value), Infinity);
  const greatest = values.reduce((greatest, value) => Math.max(greatest, value), -Infinity);
  const norm = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
  return (
    <figure style={{ margin: 0 }}>
      <svg
        viewBox={`0 0 ${bars.length} ${HEIGHT}`}
        width="100%"
        height={HEIGHT}
        preserveAspectRatio="none"
        role="img"
        aria-label={`A vector of ${values.length} numbers`}
      >
        {bars.map((value, index) => {
          const length = (Math.abs(value) / most) * (HEIGHT / 2);
          return (
            <rect
              key={index}
              x={index}
              width={0.85}
              y={value >= 0 ? HEIGHT / 2 - length : HEIGHT / 2}
              height={length}
              fill="var(--kind-embedding)"
              opacity={value >= 0 ? 1 : 0.55}
            />
          );
        })}
      </svg>
      <figcaption style={{ color: 'var(--ink-soft)', fontSize: 12 }}>
        {formatCount(values.length)} numbers, length {norm.toFixed(3)}, {least.toFixed(3)} to{' '}
        {greatest.toFixed(3)}
      </figcaption>
    </figure>
  );
}
