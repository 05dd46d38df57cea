const HEIGHT = 30;

/** The last few values of something, without axes. */
export function Sparkline({
  values,
  colour = 'var(--accent)',
}: {
  values: readonly number[];
  colour?: string;
}) {
  const most = Math.max(1, ...values);
  const step = 100 / Math.max(1, values.length - 1);
  const points = values.map(
    (value, index) =>
      `${(index * step).toFixed(2)},${(HEIGHT - 2 - (value / most) * (HEIGHT - 4)).toFixed(2)}`,
  );
  return (
    <svg viewBox={`0 0 100 ${HEIGHT}`} width="100%" height={HEIGHT} preserveAspectRatio="none" aria-hidden>
      <polyline
        points={points.join(' ')}
        fill="none"
        stroke={colour}
        strokeWidth={1.6}
        vectorEffect="non-scaling-stroke"
      />
    </svg>
  );
}
