/** Whether a dialog or a drawer lies over the page: keys are meant for it then, and not for what is under it. */
export function isCovered(): boolean {
  return document.querySelector('[aria-modal="true"]') !== null;
}
