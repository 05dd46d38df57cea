import { Fragment } from 'react';

/** A text of the server's, in which names stand in backticks. */
export function Marked({ text }: { text: string }) {
  const parts = text.split(/`([^`]+)`/);
  return parts.map((part, at) => (
    <Fragment key={at}>{at % 2 === 1 ? <span className="mono">{part}</span> : part}</Fragment>
  ));
}
