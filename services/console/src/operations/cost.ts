/** A cost in the currency of the settings; none where nothing has a price. */
export function formatCost(cost: number | null | undefined): string {
  if (cost === null || cost === undefined) return '–';
  if (cost === 0) return '0';
  return cost < 0.01 ? cost.toPrecision(2) : cost.toFixed(cost < 100 ? 2 : 0);
}
