/** Files that are made here and saved on the user's machine. */

/** Saves `value` as JSON. */
export function download(name: string, value: unknown): void {
  save(name, `${JSON.stringify(value, null, 2)}\n`, 'application/json');
}

export function downloadText(name: string, text: string): void {
  save(name, text, 'text/plain');
}

function save(name: string, text: string, type: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement('a');
  link.href = url;
  link.download = fileName(name);
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1_000);
}

/** `name` for a file: what some system or other reserves becomes a dash, and every letter of every script stays. */
export function fileName(name: string): string {
  const plain = name.replaceAll(/[\\/:*?"<>|\s\p{Cc}]+/gu, '-');
  // A dot in front hides a file, and one behind is lost on some systems.
  return plain.replace(/^[.-]+/, '').replace(/[.-]+$/, '') || 'download';
}
