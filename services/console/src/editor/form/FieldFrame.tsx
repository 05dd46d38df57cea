import { Group, Text, Tooltip } from '@mantine/core';
import { IconHelpCircle } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import type { Json } from '~/api/types';
import { labelOf } from '~/lib/format';
import { Marked } from '~/ui/Marked';
import { areMild, type NodeFault } from '../document/faults';
import { asIn } from './example';
import classes from './FieldFrame.module.css';

interface Props {
  name: string;
  /** Its name in words, where that is not the name itself. */
  title?: string;
  /** What stands where the name would. */
  label?: ReactNode;
  help?: string | undefined;
  required?: boolean;
  faults: readonly NodeFault[];
  /** What it may look like, for a fault that does not say it. */
  example?: Json | undefined;
  /** Beside the name: what else can be done with the field. */
  aside?: ReactNode;
  children: ReactNode;
}

/** A field with its name, its help, and what is wrong with it. */
export function FieldFrame({
  name,
  title,
  label,
  help,
  required = false,
  faults,
  example,
  aside,
  children,
}: Props) {
  return (
    <div className={classes.field} data-field={name} data-faulty={!areMild(faults) || undefined}>
      <Group gap={4} wrap="nowrap" className={classes.head}>
        {label ?? (
          <span className={classes.name}>
            {title ?? labelOf(name)}
            {required && <b aria-hidden> *</b>}
          </span>
        )}
        {help && (
          <Tooltip label={<Marked text={help} />}>
            <IconHelpCircle size={13} className={classes.help} aria-label={help} role="img" />
          </Tooltip>
        )}
        <span className={classes.aside}>{aside}</span>
      </Group>
      {children}
      {faults.map(fault => (
        <div
          key={`${fault.code}${fault.pointer}${fault.message}`}
          className={classes.fault}
          data-mild={fault.mild || undefined}
          role={fault.mild ? 'note' : 'alert'}
        >
          {fault.message}
          {fault.hint ? <Hint text={fault.hint} /> : example !== undefined && <Hint text={asIn(example)} />}
        </div>
      ))}
    </div>
  );
}

/** A hint; that of an expression is its text with a caret under the place, and keeps its columns. */
function Hint({ text }: { text: string }) {
  return text.includes('\n') ? (
    <pre className={classes.caret}>{text}</pre>
  ) : (
    <Text size="xs" c="dimmed">
      → {text}
    </Text>
  );
}
