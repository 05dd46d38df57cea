/**
 * The `Idempotency-Key` of what is submitted: one for each submission, and the same one where the same is sent again because no
 * answer came. The first may have been carried out all the same, and is answered with then.
 */
export interface SubmissionKeys {
  /** The key for what is asked for. */
  keyOf(asked: unknown): string;
  /** There was an answer: whoever asks for the same again wants another one. */
  answered(): void;
}

export function createSubmissionKeys(): SubmissionKeys {
  let last: { asked: string; key: string } | null = null;
  return {
    keyOf(asked) {
      const text = JSON.stringify(asked);
      if (last?.asked !== text) last = { asked: text, key: freshKey() };
      return last.key;
    },
    answered() {
      last = null;
    },
  };
}

/** `crypto.randomUUID` is there on https and on this machine only. */
function freshKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), byte =>
    byte.toString(16).padStart(2, '0'),
  ).join('');
}
