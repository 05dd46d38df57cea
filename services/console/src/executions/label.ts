/** The label as the api takes it; undefined for one that is still being typed, by which nothing can be looked for. */
export function wholeLabel(text: string): string | undefined {
  const trimmed = text.trim();
  return /^[^:=]+[:=]./.test(trimmed) ? trimmed : undefined;
}
