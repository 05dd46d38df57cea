import { ActionIcon, Group, Tooltip } from '@mantine/core';
import { IconCheck, IconCopy, IconCopyX } from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';
import { copyToClipboard } from './copyToClipboard';
import { notifyProblem } from './notify';

const SHOWN_MS = 1_500;

/** A text with a button that copies it; `shown` where it is too long to show whole. */
export function CopyText({ text, shown = text, label }: { text: string; shown?: string; label: string }) {
  const group = useRef<HTMLDivElement>(null);
  const place = useRef<HTMLSpanElement>(null);
  const [outcome, setOutcome] = useState<'copied' | 'refused' | null>(null);
  useEffect(() => {
    if (outcome === null) return;
    const timer = setTimeout(() => setOutcome(null), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [outcome]);
  const copy = async (): Promise<void> => {
    const copied = group.current !== null && (await copyToClipboard(text, group.current));
    setOutcome(copied ? 'copied' : 'refused');
    if (copied) return;
    const whole = shown === text;
    if (whole && place.current) getSelection()?.selectAllChildren(place.current);
    const help = whole ? 'It is selected: copy it with the keyboard.' : `Copy it by hand: ${text}`;
    notifyProblem('The browser did not let it be copied', new Error(help));
  };
  return (
    <Group ref={group} gap={2} wrap="nowrap" display="inline-flex">
      <span ref={place} className="mono" title={text}>
        {shown}
      </span>
      <Tooltip label={outcome === 'copied' ? 'Copied' : `Copy ${label}`}>
        <ActionIcon size="sm" onClick={() => void copy()} aria-label={`Copy ${label}`}>
          {outcome === 'copied' && <IconCheck size={13} />}
          {outcome === 'refused' && <IconCopyX size={13} />}
          {outcome === null && <IconCopy size={13} />}
        </ActionIcon>
      </Tooltip>
    </Group>
  );
}
