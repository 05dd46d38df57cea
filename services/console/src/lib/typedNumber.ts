/** The number in what a number field says of each key: undefined where it was cleared, null while it is not a number yet. */
export function typedNumber(text: string | number): number | undefined | null {
  if (text === '') return undefined;
  const number = Number(text);
  // `-`, and `-0` on the way to `-0.5`: to take it over would take the sign out of the field.
  return Number.isFinite(number) && !Object.is(number, -0) ? number : null;
}
