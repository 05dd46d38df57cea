/**
 * Puts a text into the clipboard; says whether it is there. Browsers have `navigator.clipboard` on https and on this machine only: at
 * other addresses what is selected is copied, as by hand.
 */
export async function copyToClipboard(text: string, near: Element): Promise<boolean> {
  try {
    // Absent, whatever its type says, where the page did not come safely.
    if (window.isSecureContext) {
      await navigator.clipboard.writeText(text);
      return true;
    }
  } catch {
    // Not allowed here: the other way may be.
  }
  return copySelected(text, near);
}

/** Beside `near`: a dialog takes the focus back from what is outside of it. */
function copySelected(text: string, near: Element): boolean {
  const focused = document.activeElement;
  const field = document.createElement('textarea');
  field.value = text;
  field.readOnly = true;
  field.style.cssText = 'position: fixed; top: 0; left: 0; opacity: 0; font-size: 16px';
  near.append(field);
  try {
    field.focus({ preventScroll: true });
    field.select();
    // Deprecated, and the only way there is on a page that came by plain http.
    return document.execCommand('copy');
  } catch {
    return false;
  } finally {
    field.remove();
    if (focused instanceof HTMLElement) focused.focus({ preventScroll: true });
  }
}
